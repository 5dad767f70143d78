import { command } from '../../engine/command-line.ts';
import type { Kube } from '../../kube/client/client.ts';

/** What a person types to deregister a WEC from an ITS. @param wec NAME or NAME=CONTEXT */
export const toDeregister = ({ cluster }: Kube, wec: string, ...options: readonly string[]): string =>
  command`stellarctl deregister ${[wec, ...options]} --its ${cluster.context}`;
