import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Api, Connection } from '../kube/api.ts';
import type { Pod } from '../kube/objects.ts';

/**
 * What a container of a pod has: its arguments, its mounted files, its service account, the network as pods see it.
 * Nothing else.
 */
export interface PodContext {
  readonly pod: Pod;
  readonly args: readonly string[];
  /** Its own cluster's API server, as the pod's service account. */
  readonly api: Api;
  /** Aborted when the container is to stop. */
  readonly signal: AbortSignal;
  /** The content of a file that a Secret provides, as it was when the container started. */
  readFile(path: string): string | undefined;
  /** A client of any API server, over the network as pods see it. */
  connect(connection: Connection): Api;
  /** Answers HTTPS on a port of the pod, which Services selecting the pod lead to. */
  serve(
    port: number,
    tls: { cert: string; key: string },
    handler: (request: IncomingMessage, response: ServerResponse) => void,
  ): void;
  setReady(ready: boolean): void;
  /** The time, as the pod's clock has it. */
  now(): Date;
  log(line: string): void;
}

/**
 * What stands in for a container's image. Returning is exit code 0, throwing is exit code 1; it is to end soon after
 * the signal.
 */
export type Program = (context: PodContext) => Promise<void>;
