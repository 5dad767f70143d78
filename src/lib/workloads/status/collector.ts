import { advice, command, type NextStep, partial, run } from '../../core/next-step.ts';
import type { KubeObject } from '../../kube/client/objects.ts';

/** control.kubestellar.io/v1alpha1 StatusCollector (kubestellar v0.30.0, api/control/v1alpha1/types.go). Expressions are CEL. */
export interface StatusCollector extends KubeObject {
  spec?: CollectorSpec;
  status?: { errors?: string[] };
}

export interface CollectorSpec {
  /** Selects the returned statuses that count; all without a filter. */
  filter?: string;
  groupBy?: NamedExpression[];
  combinedFields?: CombinedField[];
  select?: NamedExpression[];
  /** Maximum number of rows. */
  limit?: number;
}

interface NamedExpression {
  name: string;
  def: string;
}

export const combinators = ['COUNT', 'SUM', 'AVG', 'MIN', 'MAX'] as const;

interface CombinedField {
  name: string;
  type: (typeof combinators)[number];
  subject?: string;
}

/** The default in KubeStellar's documentation. */
export const defaultLimit = 20;

const wecColumn: NamedExpression = { name: 'wec', def: 'inventory.name' };

/** Collectors for common needs. */
export const presets = {
  replicas: {
    select: [
      wecColumn,
      { name: 'replicas', def: 'returned.status.replicas' },
      { name: 'available', def: 'returned.status.availableReplicas' },
    ],
  },
  conditions: { select: [wecColumn, { name: 'conditions', def: 'returned.status.conditions' }] },
  'available-wecs': {
    filter: 'has(returned.status.availableReplicas) && returned.status.availableReplicas > 0',
    combinedFields: [{ name: 'wecs', type: 'COUNT' }],
  },
} satisfies Record<string, CollectorSpec>;

export type Preset = keyof typeof presets;

/** What helps if several WECs have the object of which a single one is to return the status. */
export const returnedByOne = advice(
  'Select one WEC, or ask for wantMultiWECReportedState or a StatusCollector instead',
);

/** Returns the command that creates a collector that a policy names. @param flags of its WDS */
export function toCreateCollector(name: string, flags: readonly string[]): NextStep {
  return Object.hasOwn(presets, name)
    ? run(command`stellarctl collector create ${name} --preset ${name} ${flags}`, 'Create it')
    : partial(command`stellarctl collector create ${name} --preset PRESET ${flags}`, 'Create it');
}
