import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Container, Pod } from '../kube/objects.ts';
import { expand } from '../pod-runner/environment.ts';
import { apiServerAddress, dnsAddress, hostOf } from './addresses.ts';
import type { Image } from './images.ts';

/** What the containers of a plane's pods find on their machine. */
export interface Machine {
  /** The folder of everything of the bed, also of the programs: in no pod, such a path is a mount. */
  root: string;
  /** The folder of the programs, by name. */
  bin: string;
  /** The CA file that the images' programs trust. */
  certificates: string;
  /** The number of the plane, and its table of connections. */
  plane: number;
  table: string;
}

/** A container that is started. */
export interface ContainerStart {
  machine: Machine;
  pod: Pod;
  /** The pod's address, as Kubernetes knows it. */
  address: string;
  container: Container;
  image: Extract<Image, { entrypoint?: string }>;
  env: Readonly<Record<string, string>>;
  mounts: readonly [path: string, target: string][];
  /** The folder of this container's own files. */
  dir: string;
  onLine: (line: string) => void;
}

/** The shells whose arguments may name files: they are not compiled with the overlay. */
const shells = new Set(['sh', 'bash']);

/** A program of a container, as a process of this machine in a group of its own. */
export class ContainerProcess {
  /** The exit code, as the kubelet reports it. */
  readonly ended: Promise<number>;
  readonly #process: ChildProcess;

  constructor(start: ContainerStart) {
    const { machine, container, image, env, dir, mounts, onLine } = start;
    const { entrypoint, folder = '', adapt = (all) => all } = image;
    const { command = entrypoint ? [entrypoint] : [], args = [] } = container;
    const [program = '', ...words] = adapt([...command, ...args].map((word) => expand(word, env)));
    const all = [...mounts, ...ownFiles(start)].sort(([a], [b]) => b.length - a.length);
    const name = basename(program);
    const isShell = shells.has(name);
    // sh of the images knows `&>`, which dash does not.
    const path = isShell ? 'bash' : join(machine.bin, folder, name);
    const found = isShell ? words.map((word) => withTargets(word, mounts)) : words;
    this.#process = spawn(path, found, {
      cwd: dir,
      detached: true,
      env: { ...baseEnvironment(start), ...env, ...podVariables(start, all) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#process.stdout, this.#process.stderr])
      if (stream) createInterface({ input: stream }).on('line', onLine);
    this.ended = new Promise((resolve) => {
      this.#process.on('error', (error) => {
        onLine(`exec: "${program}": ${error.message}`);
        resolve(128);
      });
      this.#process.on('close', (code, signal) =>
        resolve(code ?? 128 + (signal === 'SIGKILL' ? 9 : 15)),
      );
    });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Freezes it, or continues it. */
  freeze(isFrozen: boolean): void {
    this.#kill(isFrozen ? 'SIGSTOP' : 'SIGCONT');
  }

  /** Ends it: SIGTERM, and SIGKILL after the grace period. */
  async stop(graceSeconds: number): Promise<void> {
    this.#kill('SIGTERM');
    const grace = new AbortController();
    const late = sleep(graceSeconds * 1000, true, { signal: grace.signal }).catch(() => false);
    if (await Promise.race([this.ended.then(() => false), late])) this.#kill('SIGKILL');
    grace.abort();
    await this.ended;
  }

  #kill(signal: NodeJS.Signals): void {
    const { pid } = this.#process;
    try {
      if (pid !== undefined) process.kill(-pid, signal);
    } catch {
      // It has ended.
    }
  }
}

/** Files that a container runtime adds to each container. */
function ownFiles({ machine, pod, address, dir, mounts }: ContainerStart): [string, string][] {
  const { namespace, name } = pod.metadata;
  const temporary = join(dir, 'tmp');
  mkdirSync(temporary, { recursive: true });
  const search = `${namespace}.svc.cluster.local svc.cluster.local cluster.local`;
  const resolver = `nameserver ${dnsAddress(machine.plane)}\nsearch ${search}\noptions ndots:5\n`;
  writeFileSync(join(dir, 'resolv.conf'), resolver);
  writeFileSync(join(dir, 'hosts'), `127.0.0.1 localhost\n${address} ${name}\n`);
  const own: [string, string][] = [
    ['/etc/resolv.conf', join(dir, 'resolv.conf')],
    ['/etc/hosts', join(dir, 'hosts')],
    ['/etc/ssl/certs/ca-certificates.crt', machine.certificates],
    // The pod has one interface, and no route of this machine.
    ['/proc/net/route', join(dir, 'no-route')],
    ['/tmp', temporary],
  ];
  return own.filter(([path]) => !mounts.some(([mounted]) => mounted === path));
}

function baseEnvironment({ machine, pod, dir }: ContainerStart): Record<string, string> {
  return {
    PATH: `${machine.bin}:/usr/bin:/bin`,
    HOME: join(dir, 'tmp'),
    HOSTNAME: pod.metadata.name,
    KUBERNETES_SERVICE_HOST: apiServerAddress(machine.plane),
    KUBERNETES_SERVICE_PORT: '443',
    // As for the servers of planes: memory is available, processor time is scarce.
    GOMAXPROCS: '1',
    GOGC: '400',
  };
}

/** What the overlay reads (overlay/syscall.go.txt). */
function podVariables({ machine, address }: ContainerStart, mounts: readonly [string, string][]) {
  return {
    BED_POD_IP: hostOf(address),
    BED_POD_ROOT: machine.root,
    BED_POD_MOUNTS: mounts.map((pair) => pair.join('=')).join(':'),
    BED_NETWORK: machine.table,
  };
}

function withTargets(word: string, mounts: readonly [string, string][]): string {
  return mounts.reduce((text, [path, target]) => text.replaceAll(`${path}/`, `${target}/`), word);
}
