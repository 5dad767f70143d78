import { command } from '../../lib/core/next-step.ts';
import { count, few } from '../../lib/core/text/words.ts';
import type { ReportIndex } from '../../lib/doctor/report.ts';
import type { Definition } from '../common/define.ts';
import { hostingContextOption, itsOption, wecKubeconfigOption } from '../common/options.ts';
import type { Session } from '../common/session.ts';

type Options = { file?: string; force?: boolean };

export const definition: Definition<Options> = {
  description:
    'Writes objects, events, logs and the findings of doctor of every cluster that can be reached into one archive (tar.gz), which only you can read. Contents of Secrets, ConfigMaps and workloads are not in it; anything that looks like a token, a password or a private key is removed from the rest. What could not be read is listed in its index.json. Nothing is changed.',
  timeout: '5m',
  examples: [
    ['stellarctl report', 'everything that can be reached'],
    [
      'stellarctl report --file cluster1.tar.gz cluster1=kind-cluster1',
      'the same, and what the cluster of one WEC shows',
    ],
  ],
  usage: '[NAME=CONTEXT…] [options]',
  arguments: [
    [
      '[wecs...]',
      'WECs whose own clusters are read as well; of the others, only what the ITS shows',
    ],
  ],
  options: [
    [
      '--file <file>',
      'where to write it (default: stellarctl-report-DATE.tar.gz in this directory)',
    ],
    ['--force', 'replace FILE if it exists'],
    hostingContextOption(),
    itsOption(),
    wecKubeconfigOption(),
  ],
  async run(session, options, positional, { parent }) {
    const { checkTarget, writePrivately } = await import('../../lib/core/private-file.ts');
    const folder = `stellarctl-report-${new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}`;
    const { file = `${folder}.tar.gz`, force } = options;
    const toReplace = force ? undefined : session.again('--force');
    await checkTarget(file, toReplace);
    const { doctorInput } = await import('../doctor/input.ts');
    const { makeReport, pack } = await import('../../lib/doctor/report.ts');
    session.progress.waiting('report', 'reading from the clusters');
    const input = await doctorInput(session, positional);
    const { index, files } = await makeReport(input, parent?.version() ?? '');
    const content = await pack(files, folder);
    await checkTarget(file, toReplace);
    await writePrivately(file, content);
    await show(session, index, { file, bytes: content.length });
  },
};

/** Maximum number of lines about missing parts in the terminal; the archive contains all of them. */
const linesAtMost = 10;

async function show(
  session: Session,
  { clusters, missing, files }: ReportIndex,
  written: { file: string; bytes: number },
): Promise<void> {
  const { file, bytes } = written;
  const names = clusters.map(({ name }) => name);
  const item = { name: file, bytes, clusters, missing, files: files.length };
  const size = `${Math.ceil(bytes / 1024)} kB`;
  const line = `${file}: ${count(files.length, 'file')} of ${names.join(', ')}, ${size}`;
  await session.show({ items: [item] }, () => [line], [item]);
  if (session.isForPeople) {
    const lines = missing.map(
      ({ cluster, what, why }) => `${cluster === '' ? '' : `${cluster}: `}${what}: ${why}`,
    );
    if (missing.length > 0)
      session.progress.note(`Not in the report (also listed in its index.json):`);
    session.noteLines(few(lines, linesAtMost), '  ');
  }
  session.next(command`tar -tzf ${file}`);
}
