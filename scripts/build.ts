import { rename, rm, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { build, type OutputChunk } from 'rolldown';
import { common, entry, form, plugins, root, together } from './bundle.ts';
import { noticesOf } from './notices.ts';

const started = new Date();
const dist = path.join(root, 'dist');
// Whoever runs the dist of before can go on doing so until the new one is whole.
const fresh = path.join(root, `dist-${process.pid}`);

const built = await build({
  ...common,
  input: entry,
  plugins: [...plugins, together.plugin],
  output: { ...form, dir: fresh, codeSplitting: together.splitting },
});
const modulesOf = ({ modules }: OutputChunk) =>
  Object.entries(modules).flatMap(([id, { renderedLength }]) => (renderedLength > 0 ? path.relative(root, id) : []));
const contents = Object.fromEntries(
  built.output.flatMap((file) => (file.type === 'chunk' ? [[file.fileName, modulesOf(file)] as const] : [])),
);
await writeFile(path.join(fresh, 'THIRD-PARTY-NOTICES.txt'), await noticesOf(Object.values(contents).flat(), root));
// Not packed: it tells the tests which packages a file of dist holds.
await writeFile(path.join(fresh, 'contents.json'), JSON.stringify(contents));
// scripts/dev.cjs compares it with the sources: what was changed during the build is newer than this.
await utimes(path.join(fresh, 'cli.js'), started, started);
await rm(dist, { recursive: true, force: true });
await rename(fresh, dist);
