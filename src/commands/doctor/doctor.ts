import { Option } from 'commander';
import { ExitCode } from '../../lib/core/errors.ts';
import { poll } from '../../lib/core/poll.ts';
import type { Examined } from '../../lib/doctor/subject.ts';
import type { Definition } from '../common/define.ts';
import {
  dryRunOption,
  hostingContextOption,
  itsOption,
  listOption,
  refuseWithout,
  wecKubeconfigOption,
  yesOption,
} from '../common/options.ts';
import { outputFormats } from '../terminal/io.ts';
import { connectionOptions } from '../wec/join-options.ts';
import type { DoctorOptions } from './input.ts';

export const definition: Definition<DoctorOptions> = {
  description:
    'Checks the hosting cluster, its spaces, and the WECs of its ITSes: what is wrong, why, and the command that fixes it. With NAME=CONTEXT, the cluster itself is checked as well; without a context, if one with the name of the WEC, or such as kind-NAME, is proven to lead to it. Other WECs are judged by what their ITS reports. With --pre: what is needed before an installation, or before the given clusters are registered. The exit code is 1 if a check has failed.',
  formats: [...outputFormats, 'short'],
  examples: [
    ['stellarctl doctor', 'everything that can be reached'],
    ['stellarctl doctor cluster1=kind-cluster1', 'one WEC, from both sides'],
    ['stellarctl doctor --wait --timeout 5m', 'wait until no check fails'],
    [
      'stellarctl doctor cluster1=kind-cluster1 --fix',
      'renew what its agent needs to reach the ITS',
    ],
    [
      'stellarctl doctor --pre --hosting-context kind-kubeflex',
      'check whether KubeStellar can be installed there',
    ],
    [
      'stellarctl doctor --pre --probe cluster1=kind-cluster1 --its its1',
      'before cluster1 is registered',
    ],
  ],
  usage: '[NAME[=CONTEXT]…] [options]',
  arguments: [
    ['[wecs...]', 'only these WECs; with their contexts, the clusters themselves are checked too'],
  ],
  rare: [
    '--for',
    '--probe',
    '--list',
    '--skip',
    '--fail-on',
    '--hosting-context',
    '--wec-kubeconfig',
    '--hub-apiserver',
    '--ca-file',
    '--proxy-url',
    '--dry-run',
  ],
  options: [
    [
      '--pre',
      'check what is needed before an installation, or before the given clusters are registered',
    ],
    new Option(
      '--for <command>',
      'with --pre: what is to work next (default: join if clusters are given)',
    ).choices(['init', 'join']),
    new Option(
      '--probe',
      "with --pre: also create a Job in these clusters that pulls the agent's image and calls the ITS",
    ).conflicts('wait'),
    ['--list', 'list the checks without running them'],
    listOption('--skip <id>', 'skip this check'),
    new Option('--fail-on <status>', 'when to exit with 1')
      .choices(['warn', 'fail'])
      .default('fail'),
    ['--wait', 'wait until no check fails'],
    new Option(
      '--fix',
      'run the commands of the findings that need no decision: wec join, wds restart, repair, renew',
    ).conflicts('pre'),
    yesOption('with --fix or --probe: skip the confirmation'),
    dryRunOption(),
    hostingContextOption(),
    itsOption(),
    wecKubeconfigOption(),
    ...connectionOptions,
  ],
  async run(session, options, positional) {
    const { listChecks, showExamined } = await import('./show.ts');
    if (options.list) return listChecks(session);
    const acts = options.fix || options.probe;
    if (acts && !session.options.hasTimeout) options.timeout = actingMs;
    if (acts) session.run.deadline.restart(options.timeout);
    const { pre, for: goal, fix, probe, yes, dryRun } = options;
    if (!pre) refuseWithout('--pre', { '--for': goal, '--probe': probe });
    if (!fix && !probe) refuseWithout('--fix or --probe', { '--yes': yes, '--dry-run': dryRun });
    const { examination, preInput } = await import('./input.ts');
    const examine = await (options.pre
      ? preInput(session, options, positional)
      : examination(session, options, positional));
    session.progress.waiting('doctor', 'reading the installation');
    const fixing = fix
      ? await (await import('./fix.ts')).fixFindings(session, options, examine)
      : undefined;
    let all = fixing?.all ?? (await examine());
    if (options.probe) all = await (await import('./probe.ts')).probeWecs(session, all);
    if (options.wait && !isHealthy(all, options)) {
      await poll(async () => {
        all = await examine();
        return isHealthy(all, options) || undefined;
      }, session.run);
    }
    await showExamined(session, options, withoutSkipped(options.skip ?? [], all), fixing?.fixed);
    const hasFailed = fixing?.fixed.some(({ result }) => result === 'failed') === true;
    session.exitCode = doctorExitCode(isHealthy(all, options), hasFailed, options.wait);
  },
};

/** Default timeout of fixes and probes, in milliseconds. */
const actingMs = 120_000;

/** A fix that failed is a failure, however long the command then waited. */
export function doctorExitCode(isHealthy: boolean, hasFailed: boolean, wait?: boolean): number {
  if (isHealthy && !hasFailed) return ExitCode.done;
  return wait && !hasFailed ? ExitCode.timeout : ExitCode.failed;
}

const withoutSkipped = (skip: readonly string[], all: readonly Examined[]): Examined[] =>
  all.map((each) => ({ ...each, findings: each.findings.filter(({ id }) => !skip.includes(id)) }));

const isHealthy = (all: readonly Examined[], { skip = [], failOn }: DoctorOptions) =>
  !withoutSkipped(skip, all).some(({ findings }) =>
    findings.some(({ status }) => status === 'fail' || status === failOn),
  );
