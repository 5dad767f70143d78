import { once } from 'node:events';
import type { Api } from '../kube/api.ts';
import { BindingConditions } from './binding-conditions.ts';

export interface StatusControllerParts {
  wds: Api;
  signal: AbortSignal;
  log: (line: string) => void;
}

/** Plays KubeStellar's status controller (kubestellar pkg/status) until the signal. */
export async function runStatusController({ wds, signal, log }: StatusControllerParts): Promise<void> {
  new BindingConditions(wds, log, signal);
  if (!signal.aborted) await once(signal, 'abort');
}
