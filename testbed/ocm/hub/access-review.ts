import type { Api } from '../../kube/api.ts';
import { subjectAccessReviews } from '../../kube/resources.ts';

/** A user as the API server knows it. */
export interface Requester {
  username?: string;
  uid?: string;
  groups?: string[];
  extra?: Record<string, string[]>;
}

export interface ResourceAttributes {
  group: string;
  resource: string;
  subresource?: string;
  verb: string;
  name?: string;
}

/** Whether another user is allowed to do something. */
export async function isAllowedTo(
  api: Api,
  { username: user, uid, groups, extra }: Requester,
  resourceAttributes: ResourceAttributes,
): Promise<boolean> {
  const path = `/apis/${subjectAccessReviews.apiVersion}/${subjectAccessReviews.plural}`;
  const spec = { user, uid, groups, extra, resourceAttributes };
  const { status } = await api.send<{ status: { allowed: boolean } }>('POST', path, { spec });
  return status.allowed;
}
