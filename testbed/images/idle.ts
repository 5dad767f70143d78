import { once } from 'node:events';
import type { PodContext } from '../pod-runner/program.ts';

/** Stands in for programs whose work nothing in the bed depends on: ready, and nothing more. */
export async function idle({ setReady, signal }: PodContext): Promise<void> {
  setReady(true);
  if (!signal.aborted) await once(signal, 'abort');
}
