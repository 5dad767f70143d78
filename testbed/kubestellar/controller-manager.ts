import type { Api } from '../kube/api.ts';
import { runBindingController, type StartOfBindings } from './binding-controller.ts';
import { runStatusController } from './status-controller.ts';
import { WorkloadObjects } from './workload-objects.ts';

export interface ControllerManagerParts {
  wds: Api;
  its: Api;
  wdsName: string;
  /** The API groups of workloads, all without any. */
  allowedGroups: ReadonlySet<string> | undefined;
  signal: AbortSignal;
  log: (line: string) => void;
  /** What it does to existing Bindings first; by default nothing. */
  start?: StartOfBindings | undefined;
}

/** The controllers of KubeStellar's controller-manager, which share their view of the WDS, until the signal. */
export async function runControllers({ allowedGroups, ...parts }: ControllerManagerParts): Promise<void> {
  const workload = new WorkloadObjects(parts.wds, allowedGroups, parts.signal);
  await Promise.all([runBindingController({ ...parts, workload }), runStatusController({ ...parts, workload })]);
}
