import { ExitCode } from '../../lib/core/errors.ts';
import { command } from '../../lib/core/next-step.ts';
import { count } from '../../lib/core/text/words.ts';
import type { Definition } from '../common/define.ts';
import { type FileOptions, fileOptions, openClusters, readSpaces } from './open.ts';

type Options = FileOptions & { offline?: boolean; exitCode?: boolean };

export const definition: Definition<Options> = {
  description:
    'Shows what applying a file would change: WECs to join, values old and new, and what that does to running workloads. Reads the ITS once and the WECs in parallel, and writes nothing.',
  timeout: '2m',
  formats: ['table', 'wide', 'json', 'yaml'],
  examples: [
    ['stellarctl fleet plan -f fleet.yaml', 'what would change'],
    [
      'stellarctl fleet plan -f fleet.yaml --exit-code',
      'for pull requests: exits with 5 if anything would change',
    ],
    [
      'stellarctl fleet plan -f fleets/ --offline',
      'check the files of a folder, without a cluster',
    ],
  ],
  usage: '-f FILE [options]',
  rare: [
    '--wec-kubeconfig',
    '--trust-kubeconfigs',
    '--max-removed',
    '--evict-works',
    '--hosting-context',
  ],
  options: [
    ...fileOptions(),
    ['--offline', 'check the file alone'],
    ['--exit-code', 'exit with 5 if anything would change'],
  ],
  async run(session, options) {
    const { readFleet } = await import('../../lib/fleet/fleet-file.ts');
    const fleet = await readFleet(options.filename, session.io.stdin);
    if (options.offline) {
      const { name, wecs } = fleet;
      const good = `The file has no fault: fleet ${name} with ${count(wecs.length, 'WEC')}.`;
      return session.show({ fleet: name, wecs }, () => [good], []);
    }
    const { planFleet, planNew } = await import('../../lib/fleet/plan.ts');
    const { changesAnything, describePlan, describeSpaces, planDocument } = await import(
      './plan-text.ts'
    );
    const spaces = await readSpaces(session, fleet);
    const isWithoutIts = spaces.some(
      ({ role, action }) => role === 'its' && action !== 'unchanged',
    );
    const clusters = isWithoutIts ? undefined : await openClusters(session, fleet, options);
    const plan = clusters === undefined ? planNew(fleet) : await planFleet(clusters);
    await session.show(
      { ...planDocument(plan), spaces },
      (_, isWide) => [...describeSpaces(spaces), ...describePlan(plan, isWide)],
      [],
    );
    session.incomplete(plan.items.flatMap(({ error }) => error ?? []));
    if (session.exitCode !== ExitCode.done) return;
    const isDifferent =
      changesAnything(plan) || spaces.some(({ action }) => action !== 'unchanged');
    const files = options.filename.flatMap((file) => ['-f', file]);
    const its = clusters === undefined ? [] : ['--its', clusters.its.context.name];
    if (isDifferent) session.next(command`stellarctl fleet apply ${[...files, ...its]}`);
    if (options.exitCode && isDifferent) session.exitCode = ExitCode.different;
  },
};
