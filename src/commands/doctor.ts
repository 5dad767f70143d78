import { type Command, Option } from 'commander';
import type { DoctorInput } from '../lib/doctor/doctor.ts';
import type { Examined } from '../lib/doctor/subject.ts';
import type { Finding } from '../lib/engine/checks.ts';
import { ExitCode, StellarError } from '../lib/engine/errors.ts';
import { run } from '../lib/engine/next-step.ts';
import type { Kube } from '../lib/kube/client/client.ts';
import { isForPeople } from '../lib/terminal/formats.ts';
import type { Io } from '../lib/terminal/io.ts';
import { action } from './shell/action.ts';
import {
  defineCommand,
  type HostingOptions,
  hostingContextOption,
  type ItsOptions,
  itsOption,
  wecContextOption,
  wecKubeconfigOption,
} from './shell/options.ts';
import type { Session } from './shell/session.ts';
import { parseWecArguments } from './shell/wec-argument.ts';

interface Options extends ItsOptions, HostingOptions {
  pre?: boolean;
  short?: boolean;
  wait?: boolean;
  skip?: string[];
  failOn: 'warn' | 'fail';
  wecContext?: string;
}

export function doctorCommand(io: Io): Command {
  return defineCommand('doctor', {
    summary: 'find out what is missing or wrong',
    description:
      'Checks the hosting cluster, its spaces, and the WECs of its ITSes: what is wrong, why, and what to type. WECs are judged by what their ITS shows; with NAME=CONTEXT also by what the cluster itself shows. What follows from a failed check is skipped. With --pre: checks what KubeStellar needs on this machine and in the clusters, before anything is done. The exit code is 1 where something has failed.',
    timeout: '30s',
    examples: [
      ['stellarctl doctor', 'everything that can be reached'],
      ['stellarctl doctor cluster1=kind-cluster1', 'one WEC, from both sides'],
      ['stellarctl doctor --wait --timeout 5m', 'wait until nothing has failed'],
      ['stellarctl doctor --pre --hosting-context kind-kubeflex', 'can KubeStellar be installed there?'],
    ],
  })
    .usage('[NAME[=CONTEXT]...] [options]')
    .argument('[wecs...]', 'only these WECs; with their contexts, the clusters themselves are looked at too')
    .option('--pre', 'what is needed before anything is done')
    .option('--short', 'only what is not as it should be')
    .option('--skip <id...>', 'leave these checks out')
    .addOption(new Option('--fail-on <status>', 'when to exit with 1').choices(['warn', 'fail']).default('fail'))
    .option('--wait', 'until nothing has failed')
    .addOption(hostingContextOption())
    .addOption(itsOption())
    .addOption(wecContextOption())
    .addOption(wecKubeconfigOption())
    .action(
      action<Options>(io, async (session, options, positional) => {
        if (options.pre) return checkBeforehand(session, io, options);
        const { examine } = await import('../lib/doctor/doctor.ts');
        const input = await inputOf(session, options, positional);
        session.progress.waiting('doctor', 'looking at the installation');
        let known: ReadonlySet<string> = new Set();
        const look = async () => {
          const all = await examine(input, session.run);
          known = new Set(all.flatMap(({ findings }) => findings.map(({ id }) => id)));
          return without(options.skip ?? [], all);
        };
        const isWell = (examined: readonly Examined[]) =>
          !examined.some(({ findings }) => hasFailed(findings, options));
        let examined = await look();
        if (options.wait && !isWell(examined)) {
          const { poll } = await import('../lib/engine/poll.ts');
          await poll(async () => {
            examined = await look();
            return isWell(examined) || undefined;
          }, session.run);
        }
        await showExamined(session, io, options, examined);
        sayUnknown(session, options, known);
        if (!isWell(examined)) session.exitCode = options.wait ? ExitCode.timeout : ExitCode.failed;
      }),
    );
}

async function inputOf(session: Session, options: Options, positional: readonly string[]): Promise<DoctorInput> {
  const wecs = await session.wecs(parseWecArguments(positional, options.wecContext));
  const choice = await session.itsIfAny();
  const its = choice && (await orError(() => session.its()));
  const spaces = await session.spaceTools().catch(unlessUsage);
  if (its instanceof StellarError && spaces === undefined) throw its;
  if (its instanceof StellarError && choice?.source === '--its') throw its;
  if (its === undefined && spaces === undefined)
    throw new StellarError(
      'usage',
      'There is no cluster to look at: no context is given, and there is no current one.',
      {
        next: [run('stellarctl doctor --pre', 'Before an installation')],
      },
    );
  return {
    spaces,
    its: its instanceof StellarError ? undefined : its,
    isItsAssumed: choice?.source === 'current context',
    wecs,
  };
}

/** Nothing is meant, which is no error here. @throws every other error */
function unlessUsage(error: unknown): undefined {
  if (error instanceof StellarError && error.code === 'usage') return undefined;
  throw error;
}

/** A check that is misspelt would otherwise seem to be left out. */
function sayUnknown(session: Session, { skip = [] }: Options, known: ReadonlySet<string>): void {
  const unknown = skip.filter((id) => !known.has(id));
  if (unknown.length > 0) session.progress.note(`--skip ${unknown.join(' ')}: no such check was made.`);
}

const without = (skip: readonly string[], examined: readonly Examined[]): Examined[] =>
  examined.map(({ subject, findings }) => ({ subject, findings: findings.filter(({ id }) => !skip.includes(id)) }));

const hasFailed = (findings: readonly Finding[], { failOn }: Options): boolean =>
  findings.some(({ status }) => status === 'fail' || status === failOn);

async function checkBeforehand(session: Session, io: Io, options: Options): Promise<void> {
  const { checkBefore } = await import('../lib/doctor/pre.ts');
  const all = await checkBefore({
    programs: session.programs,
    hosting: await hostingOf(session, options),
    its: await itsOf(session),
  });
  const findings = all.filter(({ id }) => !options.skip?.includes(id));
  await show(session, io, options, findings);
  if (hasFailed(findings, options)) session.exitCode = ExitCode.failed;
}

/** The cluster that is meant, if any is: nothing has to be there yet. */
async function hostingOf(session: Session, { hostingContext }: Options): Promise<Kube | StellarError | undefined> {
  const { chooseHosting } = await import('../lib/hosting/hosting-choice.ts');
  const kubeconfig = await session.kubeconfig();
  return orError(async () => session.connect(chooseHosting(hostingContext, session.io.env, kubeconfig).context));
}

/** The ITS, where one was chosen; the current context is taken for the hosting cluster here. */
async function itsOf(session: Session): Promise<Kube | StellarError | undefined> {
  const choice = await session.itsIfAny();
  if (choice === undefined || choice.source === 'current context') return undefined;
  return orError(async () => (await session.its()).kube);
}

/** A cluster that is meant and cannot be found is a finding, beside which the others are made all the same. */
async function orError<Found>(finding: () => Promise<Found>): Promise<Found | StellarError | undefined> {
  try {
    return await finding();
  } catch (error) {
    if (!(error instanceof StellarError)) throw error;
    return error.code === 'usage' ? undefined : error;
  }
}

const isNotable = ({ status }: Finding): boolean => status === 'warn' || status === 'fail';

async function show(session: Session, io: Io, options: Options, findings: readonly Finding[]): Promise<void> {
  const shown = options.short ? findings.filter(isNotable) : findings;
  if (isForPeople(session.output)) {
    const { styleFor } = await import('../lib/terminal/style.ts');
    const { describeFindings } = await import('./doctor-text.ts');
    session.printLines(describeFindings(shown, findings, styleFor(io.stdout, io, options.color)));
  } else {
    const named = shown.filter(({ status }) => status !== 'skipped').map(({ id }) => ({ name: id }));
    const { describeFinding } = await import('../lib/doctor/report.ts');
    await session.print({ items: shown.map(describeFinding) }, named, []);
  }
}

async function showExamined(session: Session, io: Io, options: Options, examined: readonly Examined[]): Promise<void> {
  const { groupFindings } = await import('../lib/doctor/subject.ts');
  const groups = groupFindings(examined).filter(({ finding }) => !options.short || isNotable(finding));
  if (isForPeople(session.output)) {
    const { styleFor } = await import('../lib/terminal/style.ts');
    const { describeExamined } = await import('./doctor-text.ts');
    const style = styleFor(io.stdout, io, options.color);
    session.printLines(describeExamined(groups, examined, style, session.output === 'wide'));
    return;
  }
  const { describeGroup } = await import('../lib/doctor/report.ts');
  const named = groups
    .filter(({ finding }) => finding.status !== 'skipped')
    .map(({ finding }) => ({ name: finding.id }));
  await session.print({ items: groups.map(describeGroup) }, named, []);
}
