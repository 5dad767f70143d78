import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Bed } from '../bed.ts';
import { LocalClusters } from './clusters.ts';
import { docker } from './docker.ts';
import { k3d } from './k3d.ts';
import { kind } from './kind.ts';
import type { Answer, Call } from './protocol.ts';
import { Failure, type Surroundings } from './surroundings.ts';

export type { Call };

type ProgramName = Call['program'];

/** The state of a program: working, missing, of another version, or failing with this last output. */
export type ProgramState =
  | 'well'
  | 'missing'
  | { version: string }
  | { failing: string; command?: RegExp };

const programs: Record<ProgramName, (call: Call, surroundings: Surroundings) => Promise<void>> = {
  kind,
  k3d,
  docker,
};

const versions: Record<ProgramName, string> = { kind: '0.31.0', k3d: '5.8.3', docker: '29.1.3' };

/**
 * kind, k3d and docker as small programs for PATH. Their calls are recorded; the clusters that they create are planes of the bed,
 * each with the name of its cluster. They run as long as the bed's owner.
 */
export class LocalClusterTools {
  /** A folder with the three programs, and nothing else. */
  readonly path: string;
  readonly clusters: LocalClusters;
  readonly #socket: string;
  readonly #server: Server;
  readonly #calls: Call[] = [];
  readonly #states = new Map<ProgramName, ProgramState>();

  private constructor(bed: Bed, dir: string) {
    this.path = join(dir, 'bin');
    this.#socket = join(dir, 'socket');
    this.clusters = new LocalClusters(bed);
    this.#server = createServer((socket) => void this.#answer(socket));
    // It does not keep the process running if it is not stopped.
    this.#server.unref();
  }

  static async start(bed: Bed): Promise<LocalClusterTools> {
    const tools = new LocalClusterTools(bed, await mkdtemp(join(bed.dir, 'local-')));
    await mkdir(tools.path);
    for (const name of Object.keys(programs)) await tools.set(name as ProgramName, 'well');
    await new Promise<void>((resolve) => {
      tools.#server.listen(tools.#socket, resolve);
    });
    return tools;
  }

  /** The recorded calls, in order. */
  calls(program?: ProgramName): Call[] {
    return this.#calls.filter((call) => program === undefined || call.program === program);
  }

  /** Makes a program missing, of another version, or failing; with a `command`, only for matching arguments. */
  async set(program: ProgramName, state: ProgramState): Promise<void> {
    this.#states.set(program, state);
    const file = join(this.path, program);
    if (state === 'missing') return rm(file, { force: true });
    const quoted = [
      process.execPath,
      join(import.meta.dirname, 'program.ts'),
      program,
      this.#socket,
    ];
    await writeFile(file, `#!/bin/sh\nexec ${quoted.map((part) => `'${part}'`).join(' ')} "$@"\n`);
    await chmod(file, 0o755);
  }

  stop(): void {
    this.#server.close();
  }

  async #answer(socket: Socket): Promise<void> {
    const gone = new AbortController();
    socket.on('close', () => gone.abort());
    socket.on('error', () => gone.abort());
    const send = (answer: Answer) => {
      if (!gone.signal.aborted) socket.write(`${JSON.stringify(answer)}\n`);
    };
    const [line] = await createInterface({ input: socket })
      [Symbol.asyncIterator]()
      .next()
      .then(({ value }) => [value as string | undefined]);
    if (line === undefined) return;
    const call = JSON.parse(line) as Call;
    this.#calls.push(call);
    try {
      await this.#run(call, {
        clusters: this.clusters,
        version: this.#versionOf(call.program),
        docker: this.#dockerTrouble(),
        signal: gone.signal,
        out: (stdout) => send({ stdout }),
        say: (stderr) => isQuiet(call) || send({ stderr }),
      });
      send({ exitCode: 0 });
    } catch (error) {
      const { message, exitCode = 1 } = error as Partial<Failure> & Error;
      send({ stderr: `${error instanceof Failure ? message : (error as Error).stack}\n` });
      send({ exitCode });
    }
    socket.end();
  }

  async #run(call: Call, surroundings: Surroundings): Promise<void> {
    const state = this.#states.get(call.program);
    const isFailing = typeof state === 'object' && 'failing' in state && call.program !== 'docker';
    if (isFailing && (state.command?.test(call.args.join(' ')) ?? true))
      throw new Failure(state.failing);
    await programs[call.program](call, surroundings);
  }

  #versionOf(program: ProgramName): string {
    const state = this.#states.get(program);
    return typeof state === 'object' && 'version' in state ? state.version : versions[program];
  }

  /** The environment of kind and k3d for docker. */
  #dockerTrouble(): string | undefined {
    const state = this.#states.get('docker');
    if (state === 'missing') return 'exec: "docker": executable file not found in $PATH';
    return typeof state === 'object' && 'failing' in state ? state.failing : undefined;
  }
}

/** kind's global flag, which leaves errors. */
function isQuiet({ program, args }: Call): boolean {
  return program === 'kind' && args.some((arg) => arg === '-q' || arg === '--quiet');
}

/** Creates kind, k3d and docker for the PATH of a test. */
export function localClusterTools(bed: Bed): Promise<LocalClusterTools> {
  return LocalClusterTools.start(bed);
}
