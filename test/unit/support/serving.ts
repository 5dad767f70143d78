import { afterEach } from 'node:test';
import { Deadline } from '../../../src/lib/core/deadline.ts';
import { connect, type Kube } from '../../../src/lib/kube/client/client.ts';
import type { Limit } from '../../../src/lib/kube/client/transport.ts';
import type { SelectedContext, UserEntry } from '../../../src/lib/kube/kubeconfig/kubeconfig.ts';
import { FakeServer } from './fake-server.ts';
import { pluginHost } from './plugin-host.ts';

const opened: { stop: () => unknown }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.stop();
});

/** Stops a server or a proxy after the test that has started it. */
export function stopping<T extends { stop: () => unknown }>(started: T): T {
  opened.push(started);
  return started;
}

interface ClientOptions {
  timeoutMs?: number;
  signal?: AbortSignal;
  limit?: Limit | undefined;
}

/** A client of a context that is closed after the test, and what it has logged. */
export function clientOf(
  context: SelectedContext,
  { timeoutMs = 20_000, signal = new AbortController().signal, limit }: ClientOptions = {},
): { kube: Kube; traced: string[] } {
  const traced: string[] = [];
  const deadline = new Deadline(timeoutMs);
  const trace = (line: string) => traced.push(line);
  const plugins = pluginHost({ deadline, signal });
  const kube = connect(context, { deadline, signal, trace, plugins, shared: limit });
  stopping({ stop: () => kube.close() });
  return { kube, traced };
}

interface ServerOptions extends ClientOptions {
  user?: UserEntry;
  path?: string;
  trusted?: boolean;
  cluster?: object;
}

/** A server with these answers, a client of it, and what that has logged. */
export async function serving(
  answering: Parameters<typeof FakeServer.start>[0],
  { user, cluster, ...options }: ServerOptions = {},
): Promise<{ server: FakeServer; kube: Kube; traced: string[] }> {
  const server = stopping(await FakeServer.start(answering));
  const context = server.context(user, options);
  Object.assign(context.cluster, cluster);
  return { server, ...clientOf(context, options) };
}
