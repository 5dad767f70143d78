import { rename, rm, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { build, type OutputChunk, type Plugin } from 'rolldown';
import manifest from '../package.json' with { type: 'json' };
import { noticesOf } from './notices.ts';

const started = new Date();
const root = path.resolve(import.meta.dirname, '..');
const dist = path.join(root, 'dist');
// Running programs can continue to use the previous dist until the new one is complete.
const fresh = path.join(root, `dist-${process.pid}`);
const entry = path.join(root, 'src', 'cli.ts');

/** An executable cannot import, not even built-in modules of Node, which dependencies and sources import when they need them. */
const withoutImports: Plugin = {
  name: 'without-imports',
  resolveId(module, _importer, { kind }) {
    const isImported = module.startsWith('node:') && kind === 'dynamic-import';
    return isImported ? { id: `\0builtin:${module}`, moduleSideEffects: false } : undefined;
  },
  load(id) {
    const [, module] = /^\0builtin:(.*)/.exec(id) ?? [];
    return module === undefined
      ? undefined
      : `module.exports = process.getBuiltinModule('${module}');`;
  },
};

/**
 * Built-in modules of Node are read where they are: for a default import, the bundler would copy all that the module exports. And
 * commander imports child_process for subcommands that are programs, of which there are none here. (2 ms of 35 of help.)
 */
const withoutCopies: Plugin = {
  name: 'without-copies',
  transform(code, id) {
    const builtin = (module: string) =>
      `/* @__PURE__ */ globalThis.process.getBuiltinModule('${module}')`;
    const isLater = id.endsWith('commander/lib/command.js');
    const text = isLater
      ? code.replaceAll('childProcess.', `${builtin('node:child_process')}.`)
      : code;
    return text.replaceAll(
      /^import (\w+) from '(node:\w+)';$/gm,
      (_, name: string, module: string) =>
        isLater && name === 'childProcess' ? '' : `const ${name} = ${builtin(module)};`,
    );
  },
};

/** Modules that are loaded together, with all that they import. */
const together = {
  /** At every start: the program, and what definitions of commands share with each other and with what follows. */
  first: [
    'cli',
    ...['define', 'options', 'confirm', 'wec-argument', 'watching'].map(
      (name) => `commands/common/${name}`,
    ),
    ...[
      'core/changes',
      'kube/access',
      'ocm/model/ocm-names',
      'spaces/local/local-cluster-names',
      'wecs/registration/registration-stage-ids',
    ].map((name) => `lib/${name}`),
  ],
  /** When a command runs; with what the most frequent one needs, since most others need most of it as well. */
  session: ['commands/common/session', 'lib/spaces/choose/its-choice', 'lib/wecs/list'],
};
const fileOf = new Map<string, string>();

/** Opening a file takes longer than reading it: modules that are loaded together are in one file (5 ms of 75 of help). */
const togetherInOneFile: Plugin = {
  name: 'together-in-one-file',
  buildEnd() {
    const add = (id: string, file: string): void => {
      if (fileOf.has(id)) return;
      fileOf.set(id, file);
      for (const imported of this.getModuleInfo(id)?.importedIds ?? []) add(imported, file);
    };
    for (const [file, beginnings] of Object.entries(together)) {
      for (const beginning of beginnings.map((each) => path.join(root, 'src', `${each}.ts`))) {
        if (this.getModuleInfo(beginning) === null)
          throw new Error(`${beginning} is not part of the bundle`);
        add(beginning, file);
      }
    }
  },
};

const { output } = await build({
  cwd: root,
  input: entry,
  platform: 'node',
  transform: {
    target: 'node22.19',
    define: { STELLARCTL_VERSION: JSON.stringify(manifest.version) },
  },
  // client-node does not declare its side effects, which would keep all its thousand generated files. stellarctl relies on no side
  // effects of importing its dependencies.
  treeshake: { moduleSideEffects: (id) => !id.includes('node_modules') },
  plugins: [withoutImports, withoutCopies, togetherInOneFile],
  output: {
    dir: fresh,
    // Node loads CommonJS faster than ES modules, and an executable can contain it.
    format: 'cjs',
    entryFileNames: '[name].cjs',
    chunkFileNames: '[name]-[hash].cjs',
    // Stack traces of bug reports need the names of functions and classes.
    minify: { compress: true, mangle: { keepNames: true }, codegen: { removeWhitespace: true } },
    comments: false,
    codeSplitting: { groups: [{ debugName: 'together', name: (id) => fileOf.get(id) ?? null }] },
  },
});
const modulesOf = ({ modules }: OutputChunk) =>
  Object.entries(modules).flatMap(([id, { renderedLength }]) =>
    renderedLength > 0 ? path.relative(root, id) : [],
  );
const contents = Object.fromEntries(
  output.flatMap((file) =>
    file.type === 'chunk' ? [[file.fileName, modulesOf(file)] as const] : [],
  ),
);
await writeFile(
  path.join(fresh, 'THIRD-PARTY-NOTICES.txt'),
  await noticesOf(Object.values(contents).flat(), root),
);
// Not packed: tests read from it which packages a file of dist contains.
await writeFile(path.join(fresh, 'contents.json'), JSON.stringify(contents));
// scripts/dev.cjs compares this time with the sources: files changed during the build are newer.
await utimes(path.join(fresh, 'cli.cjs'), started, started);
await rm(dist, { recursive: true, force: true });
await rename(fresh, dist);
