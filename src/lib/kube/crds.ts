import type { Reader } from './client/client.ts';
import { isTrue, type WithConditions } from './objects.ts';
import { resources } from './resources.ts';

/** Whether a kind that a CustomResourceDefinition defines can be used: Established comes a moment after the definition. */
export async function isCrdServed(kube: Pick<Reader, 'get'>, crd: string): Promise<boolean> {
  return isTrue(await kube.get<WithConditions>(resources.customResourceDefinitions, crd), 'Established');
}
