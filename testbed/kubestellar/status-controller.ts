import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Api } from '../kube/api.ts';
import { namespaces } from '../kube/resources.ts';
import { BindingConditions } from './binding-conditions.ts';
import { CombinedStatuses, reportNamespace } from './combined-statuses.ts';
import { StatusCollectors } from './status-collectors.ts';
import { StatusReturn } from './status-return.ts';
import { WorkStatuses } from './work-statuses.ts';
import type { Place, WorkloadObjects } from './workload-objects.ts';

const retryPause = 1_000;

export interface StatusControllerParts {
  wds: Api;
  its: Api;
  wdsName: string;
  workload: WorkloadObjects;
  signal: AbortSignal;
  log: (line: string) => void;
}

/**
 * Stands in for KubeStellar's status controller (kubestellar pkg/status, v0.30.0) until the signal: status of objects that agents
 * report is returned to the objects themselves and into CombinedStatuses.
 */
export async function runStatusController(parts: StatusControllerParts): Promise<void> {
  const { wds, its, wdsName, workload, signal, log } = parts;
  void ensureReportNamespace(parts);
  const collectors = new StatusCollectors(wds, log, signal);
  new BindingConditions(wds, collectors, log, signal);
  const onChange = (place: Place) => {
    returned.note(place);
    combined.note(place);
  };
  const statuses = new WorkStatuses(its, wdsName, onChange, signal);
  const returned = new StatusReturn({ wds, workload, statuses, log }, signal);
  const combined = new CombinedStatuses({ wds, workload, statuses, collectors, log }, signal);
  if (!signal.aborted) await once(signal, 'abort');
}

async function ensureReportNamespace({ wds, signal, log }: StatusControllerParts): Promise<void> {
  for (; !signal.aborted; await sleep(retryPause)) {
    try {
      return await wds.ensure(namespaces, { metadata: { name: reportNamespace } });
    } catch (error) {
      log(`failed to ensure namespace ${reportNamespace}: ${(error as Error).message}`);
    }
  }
}
