import type { StageReport } from '../core/stages.ts';
import type { WithConditions } from '../kube/client/objects.ts';
import type { ManifestWork } from '../ocm/manifest-works.ts';
import type { FoundHub } from '../ocm/registered-hub.ts';
import type { RuleKind } from './granted-kinds.ts';
import type { Registration } from './registration-checks.ts';

/** The namespace that an ITS keeps for a WEC, and its contents. */
export interface MailboxContents {
  /** Undefined if there is none or it may not be read. */
  namespace: WithConditions | undefined;
  works: readonly ManifestWork[];
  addons: readonly WithConditions[];
}

/** A cluster that a context leads to and that is certainly not the WEC. */
export interface OtherCluster {
  context: string;
  /** What was found there, a clause. */
  found: string;
}

/** The evidence for a diagnosis. */
export interface WecFindings extends Registration {
  reports: readonly StageReport[];
  /** The objects of the mailbox, as the ITS has them. */
  contents?: MailboxContents | undefined;
  /** The namespaces of operator and agents that are being deleted on the WEC. */
  ending?: readonly WithConditions[] | undefined;
  /** The cluster behind the given context if it is certainly another one: nothing else of it is read. */
  otherCluster?: OtherCluster | undefined;
  /** The version of OCM on the ITS, from its running registration controller. */
  ocmOfHub?: string | undefined;
  /** Whether the add-on that returns statuses is missing, although the ITS installs it by Placements. */
  lacksAddon?: boolean;
  /** Kinds of objects in its works that its agent is not allowed to apply. */
  refused?: readonly RuleKind[] | undefined;
  /** Kinds that may not be read on the WEC: their absence proves nothing. */
  forbidden: ReadonlySet<string>;
  /** The hub that the WEC's agent is registered with, if the agent does not keep its WEC available on the ITS. */
  foundHub?: FoundHub | undefined;
  /** The context of the ITS. */
  its: string;
}
