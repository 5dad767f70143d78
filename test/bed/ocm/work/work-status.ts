import { withCondition } from '../../kube/conditions.ts';
import type { Condition, ManifestStatus, ManifestWork } from '../../kube/objects.ts';
import type { Outcome } from './apply-work.ts';

/** The status of a work after it was applied (reasons and messages as recorded). */
export function workStatus(
  { metadata, status }: ManifestWork,
  outcomes: readonly Outcome[],
): NonNullable<ManifestWork['status']> {
  const { generation: observedGeneration = 0 } = metadata;
  const failures = outcomes.filter(({ error }) => error).length;
  const wanted = failures === 0 ? wellConditions : failedConditions(failures, outcomes.length);
  const before = status?.resourceStatus?.manifests ?? [];
  return {
    conditions: wanted
      .map((condition) => ({ ...condition, observedGeneration }))
      .reduce(withCondition, status?.conditions ?? []),
    resourceStatus: {
      manifests: outcomes.map((outcome) => manifestStatus(outcome, observedGeneration, before)),
    },
  };
}

const wellConditions: Condition[] = [
  { type: 'Applied', status: 'True', reason: 'AppliedManifestWorkComplete', message: 'Apply manifest work complete' },
  { type: 'Available', status: 'True', reason: 'ResourcesAvailable', message: 'All resources are available' },
];

function failedConditions(failures: number, all: number): Condition[] {
  const message = `${failures} of ${all} resources are not available`;
  return [
    { type: 'Applied', status: 'False', reason: 'AppliedManifestWorkFailed', message: 'Failed to apply manifest work' },
    { type: 'Available', status: 'False', reason: 'ResourcesNotAvailable', message },
  ];
}

function manifestStatus({ meta, error }: Outcome, observedGeneration: number, all: ManifestStatus[]): ManifestStatus {
  const before = all.find(({ resourceMeta }) => resourceMeta.ordinal === meta.ordinal)?.conditions ?? [];
  const wanted: Condition[] = error
    ? [
        {
          type: 'Applied',
          status: 'False',
          reason: 'AppliedManifestFailed',
          message: `Failed to apply manifest: ${error.message}`,
          observedGeneration,
        },
        { type: 'Available', status: 'False', reason: 'ResourceNotAvailable', message: 'Resource is not available' },
      ]
    : [
        {
          type: 'Applied',
          status: 'True',
          reason: 'AppliedManifestComplete',
          message: 'Apply manifest complete',
          observedGeneration,
        },
        { type: 'Available', status: 'True', reason: 'ResourceAvailable', message: 'Resource is available' },
        { type: 'StatusFeedbackSynced', status: 'True', reason: 'NoStatusFeedbackSynced', message: '' },
      ];
  return { conditions: wanted.reduce(withCondition, before), resourceMeta: meta, statusFeedback: {} };
}
