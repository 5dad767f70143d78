import type { Socket } from 'node:net';
import type { Api, Connection } from '../kube/api.ts';
import type { Pod } from '../kube/objects.ts';
import type { Plane } from '../plane/plane.ts';
import type { NestedPlaneOptions } from './nested-planes.ts';

/**
 * Everything that a container can use: its arguments, its environment, its mounted files, its service account, and the
 * network as pods see it.
 */
export interface PodContext {
  readonly pod: Pod;
  /** Command and arguments, with `$(NAME)` expanded from the environment. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** A client of its own cluster, as the pod's service account. */
  readonly api: Api;
  /** Aborted when the container must stop. */
  readonly signal: AbortSignal;
  /** The content of a file: of a Secret as of the start of the container, of an emptyDir as of now. */
  readFile(path: string): string | undefined;
  /** Writes a file in an emptyDir, which all containers of the pod share. @throws Error for any other path */
  writeFile(path: string, text: string): void;
  /** A client of any API server, on the network as pods see it. */
  connect(connection: Connection): Api;
  /** A connection to a port of any host, on the network as pods see it. */
  open(host: string, port: number): Socket;
  /** Accepts connections on a port of the pod. */
  serveTcp(port: number, onConnection: (socket: Socket) => void): void;
  /** Accepts connections on a port of the node (a hostPort), if the node publishes it. */
  listenOnNode(port: number, onConnection: (socket: Socket) => void): void;
  /**
   * Runs a nested control plane on a port of the pod until the signal. A plane that the pod's namespace started earlier
   * restarts with its data.
   */
  startPlane(options: NestedPlaneOptions): Promise<Plane>;
  /** Removes the data of a control plane of type k8s. */
  dropDatabase(name: string): void;
  setReady(ready: boolean): void;
  /** Prints a line to the container's log. */
  log(line: string): void;
}

/** Thrown by a program that exits with a given code. Its log gets the message, if any, and no stack. */
export class Exit extends Error {
  override name = 'Exit';
  readonly code: number;

  constructor(message = '', code = 1) {
    super(message);
    this.code = code;
  }
}
