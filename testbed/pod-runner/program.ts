import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Api, Connection } from '../kube/api.ts';
import type { Pod } from '../kube/objects.ts';
import type { Plane } from '../plane/plane.ts';
import type { NestedPlaneOptions } from './nested-planes.ts';

/**
 * What a container of a pod has: its arguments, its environment, its mounted files, its service account, the network as
 * pods see it. Nothing else.
 */
export interface PodContext {
  readonly pod: Pod;
  /** Command and arguments, with `$(NAME)` of the environment put in. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Its own cluster's API server, as the pod's service account. */
  readonly api: Api;
  /** Aborted when the container is to stop. */
  readonly signal: AbortSignal;
  /** The content of a file: of a Secret as it was when the container started, of an emptyDir as it is now. */
  readFile(path: string): string | undefined;
  /** Writes into an emptyDir, which all containers of the pod share; nothing else can be written. */
  writeFile(path: string, text: string): void;
  /** A client of any API server, over the network as pods see it. */
  connect(connection: Connection): Api;
  /** A connection to a port behind any name, over the network as pods see it. */
  open(host: string, port: number): Socket;
  /** Answers HTTPS on a port of the pod, which Services selecting the pod lead to. */
  serve(
    port: number,
    tls: { cert: string; key: string },
    handler: (request: IncomingMessage, response: ServerResponse) => void,
  ): void;
  /** Takes connections on a port of the node (a hostPort), where the node's ports lead out of it. */
  listenOnNode(port: number, onConnection: (socket: Socket) => void): void;
  /**
   * Starts a further control plane, or the one that it started earlier, with its data: it serves on a port of the pod
   * until the signal.
   */
  startPlane(options: NestedPlaneOptions): Promise<Plane>;
  setReady(ready: boolean): void;
  /** The time, as the pod's clock has it. */
  now(): Date;
  /** Says something, as the program itself would say it. */
  log(line: string): void;
}

/**
 * What stands in for a container's image. Returning is exit code 0, throwing is exit code 1; it is to end soon after
 * the signal.
 */
export type Program = (context: PodContext) => Promise<void>;

/** Thrown by a program that ends with a code of its own, and its last words: its log gets nothing more. */
export class Exit extends Error {
  override name = 'Exit';
  readonly code: number;

  constructor(message = '', code = 1) {
    super(message);
    this.code = code;
  }
}
