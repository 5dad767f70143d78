import { once } from 'node:events';
import { createServer } from 'node:net';
import { type Check, fail, type Outcome, pass, skipped, warn } from '../core/checks.ts';
import { advice, type NextStep, partial, run as runCommand } from '../core/next-step.ts';
import {
  type FoundProgram,
  findProgram,
  isNewEnough,
  type Program,
  type ProgramRun,
  runProgram,
} from '../core/program.ts';
import { defaultPort } from '../spaces/local/local-cluster-names.ts';
import { dockerProgram, helmProgram, k3dProgram, kindProgram } from '../spaces/local/programs.ts';

/** The requirements of local clusters on the machine itself. */
export const machineChecks: readonly Check<Pick<ProgramNeeds, 'isHosting'>>[] = [
  {
    id: 'port',
    title: `port ${defaultPort} is free for a local hosting cluster`,
    run: async ({ isHosting }) =>
      (await isHosting()) ? skipped('the hosting cluster already exists') : judgePort(),
  },
];

async function judgePort(): Promise<Outcome> {
  if (await isFree(defaultPort)) return pass();
  const init = 'stellarctl init --provider kind --external-port PORT';
  const other = partial(init, 'Stop the process that listens there, or use another port');
  return warn(
    'port-in-use',
    'it is in use; init --provider cannot give it to a new cluster',
    other,
  );
}

/** Whether no process listens at a port. */
export async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const listening = once(server, 'listening').then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== 'EADDRINUSE',
  );
  server.listen(port);
  const free = await listening;
  server.close();
  return free;
}

/** The facts that the checks of programs need. */
export interface ProgramNeeds {
  programs: ProgramRun;
  /** Whether KubeStellar must still be installed on an existing cluster, which requires helm. */
  needsHelm: () => Promise<boolean>;
  /** Whether the hosting cluster already exists. */
  isHosting: () => Promise<boolean>;
}

type Judge = (found: FoundProgram | undefined, needs: ProgramNeeds) => Promise<Outcome> | Outcome;

const programCheck = (program: Program, judgeFound: Judge): Check<ProgramNeeds> => ({
  id: program.name,
  title: `${program.name} is ${program.minimum} or newer`,
  run: async (needs) => judgeFound(await findProgram(program, needs.programs), needs),
});

/** The programs of this machine that some commands run. A missing program that no command needs is not reported. */
export const programChecks: readonly Check<ProgramNeeds>[] = [
  programCheck(helmProgram, judgeHelm),
  programCheck(dockerProgram, judgeDocker),
  programCheck(kindProgram, (found) => judgeLocal(found, kindProgram)),
  programCheck(k3dProgram, (found) => judgeLocal(found, k3dProgram)),
];

async function judgeHelm(
  found: FoundProgram | undefined,
  { needsHelm }: ProgramNeeds,
): Promise<Outcome> {
  if (found !== undefined) return judgeProgram(found, 'init', fail);
  if (!(await needsHelm())) return notNeeded(helmProgram, 'init');
  return fail('program-missing', 'it is not on PATH; needed by init', getIt(helmProgram));
}

const getIt = ({ get }: Program): NextStep => advice(`Install it: ${get}`);

const notNeeded = (program: Program, neededBy: string): Outcome =>
  skipped(`it is not on PATH; needed by ${neededBy} only`, getIt(program));

function judgeProgram(found: FoundProgram, neededBy: string, otherwise: typeof fail): Outcome {
  if (isNewEnough(found)) return pass(found.version);
  const what = found.version === '' ? 'it does not report its version' : `it is ${found.version}`;
  return otherwise(
    'program-too-old',
    `${what} (${found.path}); needed by ${neededBy}`,
    getIt(found),
  );
}

/** kind and k3d create local clusters, which not every user wants. */
function judgeLocal(found: FoundProgram | undefined, program: Program): Outcome {
  const neededBy = `init --provider ${program.name} and wec create --provider ${program.name}`;
  if (found === undefined) return notNeeded(program, neededBy);
  return judgeProgram(found, neededBy, warn);
}

async function judgeDocker(
  found: FoundProgram | undefined,
  { programs, isHosting }: ProgramNeeds,
): Promise<Outcome> {
  const neededBy = 'kind and k3d';
  if (found === undefined) return notNeeded(dockerProgram, neededBy);
  if (!isNewEnough(found)) return judgeProgram(found, neededBy, warn);
  const why = await whySilent(found, programs);
  if (why === undefined) return pass(found.version);
  const cause = `${why}; needed by ${neededBy}`;
  return (await isHosting())
    ? skipped(`${cause} only`)
    : warn('docker-unreachable', cause, runCommand('docker info'));
}

/** @returns undefined if it answers */
async function whySilent(docker: FoundProgram, run: ProgramRun): Promise<string | undefined> {
  const args = ['version', '--format', '{{.Server.Version}}'];
  const { exitCode, stderr } = await runProgram(run)(docker, { args, limitMs: 10_000 });
  if (exitCode === 0) return undefined;
  return /permission denied/i.test(stderr)
    ? 'you may not use its daemon'
    : 'its daemon does not answer';
}
