import { conditionOf } from '../kube/client/objects.ts';
import type { ManagedCluster } from '../ocm/ocm-objects.ts';

/**
 * Whether an ITS has created a mailbox for a WEC. The ITS creates it when the WEC is first accepted, and keeps it if the WEC is
 * denied later (ocm v1.3.1, pkg/registration/hub/managedcluster).
 */
export const hasMailbox = (wec: ManagedCluster): boolean =>
  wec.spec?.hubAcceptsClient === true || conditionOf(wec, 'HubAcceptedManagedCluster') !== undefined;
