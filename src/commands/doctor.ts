import type { Command } from 'commander';
import type { Finding } from '../lib/doctor/check.ts';
import { ExitCode, StellarError } from '../lib/engine/errors.ts';
import { run } from '../lib/engine/next-step.ts';
import type { Kube } from '../lib/kube/client/client.ts';
import { isForPeople } from '../lib/terminal/formats.ts';
import type { Io } from '../lib/terminal/io.ts';
import { action } from './shell/action.ts';
import { defineCommand, hostingContextOption, type ItsOptions, itsOption } from './shell/options.ts';
import type { Session } from './shell/session.ts';

interface Options extends ItsOptions {
  pre?: boolean;
  short?: boolean;
  hostingContext?: string;
}

export function doctorCommand(io: Io): Command {
  return defineCommand('doctor', {
    summary: 'find out what is missing or wrong',
    description:
      'With --pre: checks what KubeStellar needs on this machine and in the clusters, before anything is done: programs and their versions, ports, limits, rights, the ingress. What is not needed is no failure. The exit code is 1 where something has failed.',
    timeout: '30s',
    examples: [
      ['stellarctl doctor --pre --hosting-context kind-kubeflex', 'can KubeStellar be installed there?'],
      ['stellarctl doctor --pre --short', 'only what is not as it should be'],
    ],
  })
    .option('--pre', 'what is needed before anything is done')
    .option('--short', 'only what is not as it should be')
    .addOption(hostingContextOption())
    .addOption(itsOption())
    .action(
      action<Options>(io, async (session, options) => {
        if (!options.pre)
          throw new StellarError(
            'usage',
            'doctor needs --pre: it checks what an installation needs, not what is installed.',
            {
              next: [run(session.again('--pre'), 'Before an installation'), run('stellarctl status', 'After it')],
            },
          );
        const { checkBefore } = await import('../lib/doctor/pre.ts');
        const findings = await checkBefore({
          programs: session.programs,
          hosting: await hostingOf(session, options),
          its: await itsOf(session),
        });
        await show(session, io, options, findings);
      }),
    );
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
async function orError(finding: () => Promise<Kube>): Promise<Kube | StellarError | undefined> {
  try {
    return await finding();
  } catch (error) {
    if (!(error instanceof StellarError)) throw error;
    return error.code === 'usage' ? undefined : error;
  }
}

async function show(session: Session, io: Io, options: Options, findings: readonly Finding[]): Promise<void> {
  const shown = options.short ? findings.filter(({ status }) => status === 'warn' || status === 'fail') : findings;
  if (isForPeople(session.output)) {
    const { styleFor } = await import('../lib/terminal/style.ts');
    const { describeFindings } = await import('./doctor-text.ts');
    const lines = describeFindings(shown, findings, styleFor(io.stdout, io, options.color));
    session.printLines(lines);
  } else {
    const named = shown.filter(({ status }) => status !== 'skipped').map(({ id }) => ({ name: id }));
    const { describeFinding } = await import('../lib/doctor/check.ts');
    await session.print({ items: shown.map(describeFinding) }, named, []);
  }
  if (findings.some(({ status }) => status === 'fail')) session.exitCode = ExitCode.failed;
}
