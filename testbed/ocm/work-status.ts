import { withCondition } from '../kube/conditions.ts';
import type { AnyObject, Condition, ManifestStatus, ManifestWork, ResourceMeta } from '../kube/objects.ts';

/** The result of one manifest, and its object. */
export interface Outcome {
  meta: ResourceMeta;
  error?: Error;
  /** The object on the managed cluster, whether or not the manifest could be applied; undefined if it does not exist. */
  present?: AnyObject | undefined;
}

/** The status of a work after it was applied, without feedback (reasons and messages as recorded). */
export function workStatus(
  { metadata, status }: ManifestWork,
  outcomes: readonly Outcome[],
): NonNullable<ManifestWork['status']> {
  const { generation: observedGeneration = 0 } = metadata;
  const before = status?.resourceStatus?.manifests ?? [];
  return {
    conditions: [appliedCondition(outcomes), availableCondition(outcomes)]
      .map((condition) => ({ ...condition, observedGeneration }))
      .reduce(withCondition, status?.conditions ?? []),
    resourceStatus: {
      manifests: outcomes.map((outcome) => manifestStatus(outcome, before)),
    },
  };
}

function appliedCondition(outcomes: readonly Outcome[]): Condition {
  const type = 'Applied';
  if (outcomes.some(({ error }) => error)) {
    return { type, status: 'False', reason: 'AppliedManifestWorkFailed', message: 'Failed to apply manifest work' };
  }
  return { type, status: 'True', reason: 'AppliedManifestWorkComplete', message: 'Apply manifest work complete' };
}

function availableCondition(outcomes: readonly Outcome[]): Condition {
  const type = 'Available';
  const count = (wanted: Condition['status']) =>
    outcomes.filter((outcome) => availabilityOf(outcome).status === wanted).length;
  const [absent, unknown] = [count('False'), count('Unknown')];
  if (absent > 0) {
    const message = `${absent} of ${outcomes.length} resources are not available`;
    return { type, status: 'False', reason: 'ResourcesNotAvailable', message };
  }
  if (unknown > 0) {
    const message = `${unknown} of ${outcomes.length} resources have unknown status`;
    return { type, status: 'Unknown', reason: 'ResourcesStatusUnknown', message };
  }
  return { type, status: 'True', reason: 'ResourcesAvailable', message: 'All resources are available' };
}

/** The existence of the object does not depend on the manifest's result: one that fails now may have been applied before. */
function availabilityOf({ meta, present }: Outcome): Condition {
  const type = 'Available';
  if (meta.resource === '') {
    return { type, status: 'Unknown', reason: 'IncompleteResourceMeta', message: 'Resource meta is incomplete' };
  }
  if (!present) return { type, status: 'False', reason: 'ResourceNotAvailable', message: 'Resource is not available' };
  return { type, status: 'True', reason: 'ResourceAvailable', message: 'Resource is available' };
}

function manifestStatus(outcome: Outcome, all: ManifestStatus[]): ManifestStatus {
  const { meta, error, present } = outcome;
  const before = all.find(({ resourceMeta }) => resourceMeta.ordinal === meta.ordinal)?.conditions ?? [];
  const type = 'Applied';
  const applied: Condition = error
    ? { type, status: 'False', reason: 'AppliedManifestFailed', message: `Failed to apply manifest: ${error.message}` }
    : { type, status: 'True', reason: 'AppliedManifestComplete', message: 'Apply manifest complete' };
  // Without an observedGeneration, as before OCM 1.2 (v1.0.0, pkg/work/spoke/controllers/manifestcontroller/manifestwork_reconciler.go:229).
  const wanted = [applied, availabilityOf(outcome), ...(present ? [noFeedback] : [])];
  return { conditions: wanted.reduce(withCondition, before), resourceMeta: meta, statusFeedback: {} };
}

const noFeedback: Condition = {
  type: 'StatusFeedbackSynced',
  status: 'True',
  reason: 'NoStatusFeedbackSynced',
  message: '',
};
