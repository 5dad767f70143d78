import {
  type BoundObject,
  objectsOf,
  type Policy,
  type Unread,
} from '../ocm/model/kubestellar-names.ts';
import { isOrphan, type ManifestWork } from '../ocm/model/manifest-works.ts';
import type { ObjectOnWec, ObjectView } from '../ocm/model/object-ref.ts';
import { type Origin, originOf } from '../ocm/work-origins.ts';
import { appliedState, sentObjects, viewOfSent } from '../workloads/delivery/works.ts';

/** What a forecast is made from: what KubeStellar sends through one ITS, as far as it was read. */
export interface World {
  policies: readonly PolicyState[];
  /** By WEC. Of WECs whose mailbox was not read there is nothing: the forecast says nothing of them. */
  works: ReadonlyMap<string, readonly SentWork[]>;
  /** Objects on WECs that no work has applied: agents overwrite them, and delete them later. */
  foreign: readonly ObjectOnWec[];
  /** WDSes, or parts of them, that could not be read. */
  unread: readonly Unread[];
}

/** A policy, with what its Binding sends. */
export interface PolicyState extends Policy {
  /** Undefined if the objects were not read: nothing of the change depends on them. */
  bound?: readonly BoundView[] | undefined;
}

/** An object that a Binding sends. */
export interface BoundView {
  /** As the Binding names it. */
  of: BoundObject;
  /** As works name it. */
  object: ObjectView;
  /** The keys of the properties that its templates ask for. */
  asks: ReadonlySet<string>;
  /** Whether a StatusCollector combines its statuses; null if that is unknown. */
  isCombined: boolean | null;
}

/** A work in a mailbox. */
export interface SentWork {
  wec: string;
  name: string;
  uid: string | undefined;
  /** Which Binding it comes from; undefined for one that was created by hand. */
  origin: Origin | undefined;
  /** Whether its deletion leaves its objects on the WEC. */
  isOrphan: boolean;
  /** Whether it is being deleted already. */
  isLeaving: boolean;
  objects: readonly WorkObject[];
}

/** An object in a work. */
interface WorkObject extends ObjectView {
  /** Whether the agent reports that it has applied it, in the present version of the work. */
  isApplied: boolean;
}

export const sentWork = (work: ManifestWork): SentWork => ({
  wec: work.metadata.namespace ?? '',
  name: work.metadata.name,
  uid: work.metadata.uid,
  origin: originOf(work),
  isOrphan: isOrphan(work),
  isLeaving: work.metadata.deletionTimestamp !== undefined,
  objects: sentObjects(work).map((sent) => ({
    ...viewOfSent(sent.object),
    isApplied: appliedState(sent)?.status === 'True',
  })),
});

/** The objects that a policy sends. Without the kinds of its WDS, a plural stands for a kind. */
export const boundObjects = ({ binding, bound }: PolicyState): readonly BoundView[] =>
  bound ??
  (binding === undefined ? [] : objectsOf(binding).map((of) => boundView(of, of.resource)));

/** @param kind of the object, as works name it */
export const boundView = (
  of: BoundObject,
  kind: string,
  asks: ReadonlySet<string> = new Set(),
): BoundView => ({
  of,
  object: { kind, group: of.group ?? '', namespace: of.namespace ?? null, name: of.name },
  asks,
  isCombined: (of.statusCollectors?.length ?? 0) > 0,
});
