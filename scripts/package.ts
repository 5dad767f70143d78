/**
 * Creates the release files in release/: the npm package, the executable for this machine (plain, and packed with the licences),
 * the SBOM of both, and the checksums. With --official-node, as in a release, the Node inside the executable is downloaded from
 * nodejs.org and verified; else it is that of npm, as in tests.
 */
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { makeExecutable } from './executable/make.ts';
import { packagesOf } from './notices.ts';
import { officialNode } from './official-node.ts';
import { billOfMaterials } from './sbom.ts';

const root = path.resolve(import.meta.dirname, '..');
const release = path.join(root, 'release');
const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;

await rm(release, { recursive: true, force: true });
await mkdir(release);
await execa('npm', ['pack', '--pack-destination', release], { cwd: root });

const isOfficial = process.argv.includes('--official-node');
const executable = await makeExecutable(release, isOfficial ? officialNode : undefined);
const licences = ['LICENSE', 'LICENSE-node.txt', 'THIRD-PARTY-NOTICES.txt'];
await copyFile(path.join(root, 'LICENSE'), path.join(release, 'LICENSE'));
await copyFile(
  path.join(root, 'dist', 'THIRD-PARTY-NOTICES.txt'),
  path.join(release, 'THIRD-PARTY-NOTICES.txt'),
);
const archive = `stellarctl-${platform}.tar.gz`;
await execa('tar', ['-czf', archive, path.basename(executable), ...licences], { cwd: release });
for (const licence of licences) await rm(path.join(release, licence));

const contents = JSON.parse(
  await readFile(path.join(root, 'dist', 'contents.json'), 'utf8'),
) as Record<string, string[]>;
const packages = await packagesOf(Object.values(contents).flat(), root);
await writeFile(
  path.join(release, 'stellarctl.cdx.json'),
  `${JSON.stringify(billOfMaterials(packages), null, 2)}\n`,
);

const released = (await readdir(release))
  .filter((name) => name !== path.basename(executable))
  .sort();
const sums = await Promise.all(
  released.map(async (name) => {
    const sum = createHash('sha256').update(await readFile(path.join(release, name)));
    return `${sum.digest('hex')}  ${name}\n`;
  }),
);
await writeFile(path.join(release, 'SHA256SUMS'), sums.join(''));
console.log(sums.join('').trimEnd());
