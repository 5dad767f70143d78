import { Deadline } from '../../../src/lib/core/deadline.ts';
import type { PluginHost } from '../../../src/lib/kube/client/credentials.ts';
import { issuedFor } from '../../../src/lib/kube/client/exec-plugin.ts';
import { recordingProgress } from './builders.ts';

/** The host of exec plugins in a test, with their output. */
export function pluginHost(more: Partial<PluginHost> = {}): PluginHost & { said: string[] } {
  const progress = recordingProgress();
  return {
    env: process.env,
    deadline: new Deadline(20_000),
    signal: new AbortController().signal,
    sendSignal: process.kill,
    progress,
    hasTerminal: () => false,
    issued: new Map(),
    issue: issuedFor,
    terminalQueue: Promise.resolve(),
    said: progress.lines,
    ...more,
  };
}
