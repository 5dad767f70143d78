import { rename, rm, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { build, type OutputChunk, type Plugin } from 'rolldown';
import { common, form, plugins, root } from './bundle.ts';
import { noticesOf } from './notices.ts';

const started = new Date();
const dist = path.join(root, 'dist');
// Whoever runs the dist of before can go on doing so until the new one is whole.
const fresh = path.join(root, `dist-${process.pid}`);
const entry = path.join(root, 'src', 'cli.ts');

/** What is loaded together, by the module that begins it: before a command knows what it has to do, and whenever one does something. */
const together = { first: entry, session: path.join(root, 'src', 'commands', 'shell', 'run-in-session.ts') };
const fileOf = new Map<string, string>();

/** Opening a file takes longer than reading it: what is loaded together is one file. */
const togetherInOneFile: Plugin = {
  name: 'together-in-one-file',
  buildEnd() {
    for (const [file, start] of Object.entries(together)) {
      const add = (id: string): void => {
        if (fileOf.has(id)) return;
        fileOf.set(id, file);
        for (const imported of this.getModuleInfo(id)?.importedIds ?? []) add(imported);
      };
      add(start);
    }
  },
};

const built = await build({
  ...common,
  input: entry,
  plugins: [...plugins, togetherInOneFile],
  output: {
    ...form,
    dir: fresh,
    codeSplitting: { groups: [{ debugName: 'together', name: (id) => fileOf.get(id) ?? null }] },
  },
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
