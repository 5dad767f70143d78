import { command } from '../../lib/core/next-step.ts';
import { count, few } from '../../lib/core/text/words.ts';
import type { Definition } from '../common/define.ts';
import { hostingContextOption, itsOption, wecKubeconfigOption } from '../common/options.ts';

declare const STELLARCTL_VERSION: string;

/** Maximum number of lines about missing parts in the terminal; the archive contains all of them. */
const linesAtMost = 10;

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
  async run(session, options, positional) {
    const { checkTarget, writePrivately } = await import('../../lib/core/private-file.ts');
    const folder = `stellarctl-report-${new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}`;
    const { file = `${folder}.tar.gz`, force } = options;
    const toReplace = force ? undefined : session.again('--force');
    await checkTarget(file, toReplace);
    const { doctorInput } = await import('../doctor/input.ts');
    const { makeReport, pack } = await import('../../lib/doctor/report.ts');
    session.progress.waiting('report', 'reading from the clusters');
    const input = await doctorInput(session, positional);
    const { index, files } = await makeReport(input, STELLARCTL_VERSION);
    const content = await pack(files, folder);
    await checkTarget(file, toReplace);
    await writePrivately(file, content);
    const { clusters, missing } = index;
    const bytes = content.length;
    const item = { name: file, bytes, clusters, missing, files: index.files.length };
    const names = clusters.map(({ name }) => name).join(', ');
    const line = `${file}: ${count(index.files.length, 'file')} of ${names}, ${Math.ceil(bytes / 1024)} kB`;
    await session.show({ items: [item] }, () => [line], [item]);
    if (session.isForPeople && missing.length > 0) {
      session.progress.note('Not in the report (also listed in its index.json):');
      const lines = missing.map(
        ({ cluster, what, why }) => `${cluster === '' ? '' : `${cluster}: `}${what}: ${why}`,
      );
      session.noteLines(few(lines, linesAtMost), '  ');
    }
    session.next(command`tar -tzf ${file}`);
  },
};
