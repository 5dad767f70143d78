import { writeFileSync } from 'node:fs';
import { Deadline } from '../../../src/lib/core/deadline.ts';
import type { PluginHost } from '../../../src/lib/kube/client/credentials.ts';
import { issuedFor } from '../../../src/lib/kube/client/exec-plugin.ts';
import type { ExecEntry } from '../../../src/lib/kube/kubeconfig/kubeconfig.ts';
import { recordingProgress } from './builders.ts';
import { newPath } from './folder.ts';

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

/** The exec entry of a plugin that runs these lines of shell. */
export function plugin(lines: string, more: Partial<ExecEntry> = {}): ExecEntry {
  const command = newPath();
  writeFileSync(command, `#!/bin/sh\n${lines}\n`, { mode: 0o755 });
  return {
    apiVersion: 'client.authentication.k8s.io/v1',
    command,
    interactiveMode: 'Never',
    ...more,
  };
}
