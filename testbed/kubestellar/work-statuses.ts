import type { Api } from '../kube/api.ts';
import { Informer } from '../kube/informer.ts';
import type { KubeObject } from '../kube/objects.ts';
import { workStatuses } from '../kube/resources.ts';
import type { Status } from './aggregation.ts';
import { workLabel } from './names.ts';
import type { Place } from './workload-objects.ts';

const pauses = { first: 200, last: 1_000 };

/** The status of one object on one cluster, in the mailbox of the cluster. */
export interface WorkStatus extends KubeObject {
  spec: { sourceRef: Place & { kind: string } };
  status?: Status;
}

/** The WorkStatuses of an ITS that concern one WDS. */
export class WorkStatuses {
  readonly synced: Promise<void>;
  readonly #all: Informer<WorkStatus>;

  constructor(its: Api, wdsName: string, onChange: (place: Place) => void, signal: AbortSignal) {
    const tell = ({ metadata, spec }: WorkStatus) => {
      if ((metadata.labels?.[workLabel.wds] ?? wdsName) === wdsName) onChange(spec.sourceRef);
    };
    this.#all = new Informer<WorkStatus>(its, workStatuses, { onChange: tell, pauses }, signal);
    this.synced = this.#all.synced;
  }

  /** For one object on some clusters; for one that two policies select there is one WorkStatus per cluster. */
  of(place: Place, clusters: ReadonlySet<string>): WorkStatus[] {
    return [...this.#all.items.values()].filter(
      ({ metadata, spec }) => clusters.has(metadata.namespace ?? '') && placeKey(spec.sourceRef) === placeKey(place),
    );
  }
}

/** One text for one object of a WDS. */
export function placeKey({ group, version, resource, namespace = '', name }: Place): string {
  return [group, version, resource, namespace, name].join('|');
}
