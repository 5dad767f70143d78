import { rename, rm, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { build, type OutputChunk, type Plugin } from 'rolldown';
import manifest from '../package.json' with { type: 'json' };
import { noticesOf } from './notices.ts';

const started = new Date();
const root = path.resolve(import.meta.dirname, '..');
const dist = path.join(root, 'dist');
// Whoever runs the dist of before can go on doing so until the new one is whole.
const fresh = path.join(root, `dist-${process.pid}`);
const entry = path.join(root, 'src', 'cli.ts');

/**
 * Modules that are imported by a dependency for something that stellarctl does not do, and that cost start-up time: left out, so that
 * whatever would use them fails loudly. undici is client-node's own HTTP client, three quarters of everything; our requests are sent
 * by node:https (src/lib/kube/client/transport.ts), and through proxies by agents of our own (proxied.ts), so that hpagent and
 * socks-proxy-agent are not used either. commander runs sub-commands that are programs of their own by node:child_process.
 */
const leftOut: { module: RegExp; importer: RegExp }[] = [
  { module: /^(undici|hpagent|socks|socks-proxy-agent)$/, importer: /node_modules.@kubernetes.client-node/ },
  { module: /^node:child_process$/, importer: /node_modules.commander/ },
];

const withoutUnused: Plugin = {
  name: 'without-unused',
  resolveId(module, importer = '') {
    const isUnused = leftOut.some((each) => each.module.test(module) && each.importer.test(importer));
    return isUnused ? { id: `\0left-out:${module}`, moduleSideEffects: false } : undefined;
  },
  load(id) {
    const [, module] = /^\0left-out:(.*)/.exec(id) ?? [];
    if (module === undefined) return undefined;
    return `const leftOut = () => { throw new Error('${module} is not part of stellarctl'); };
      module.exports = new Proxy({}, { get: () => leftOut });`;
  },
};

/**
 * Importing one of Node's own modules evaluates every getter of it, and some load much (an executable cannot import at all): all of Node's undici for http.WebSocket, all of
 * WebCrypto for crypto.webcrypto, worker threads and streams for those of process. Taken this way they are evaluated when they are used.
 * Dependencies name some without `node:` (agent-base). `node:module` is what the bundler itself begins with.
 */
const withoutGetters: Plugin = {
  name: 'without-getters',
  resolveId(module, _importer, { kind }) {
    const isTaken = /^(node:(?!module$)|(http|crypto)$)/.test(module) && kind !== 'require-call';
    return isTaken ? { id: `\0builtin:${module}`, moduleSideEffects: false } : undefined;
  },
  load(id) {
    const [, module] = /^\0builtin:(.*)/.exec(id) ?? [];
    return module === undefined ? undefined : `module.exports = process.getBuiltinModule('${module}');`;
  },
};

/** What is loaded together, by the module that begins it: before a command knows what it has to do, and whenever one does something. */
const together = { first: entry, session: path.join(root, 'src', 'commands', 'shell', 'session.ts') };
const fileOf = new Map<string, string>();

/** Opening a file takes longer than reading it: what is loaded together is one file. */
const togetherInOneFile: Plugin = {
  name: 'together-in-one-file',
  buildEnd() {
    for (const [file, beginning] of Object.entries(together)) {
      if (this.getModuleInfo(beginning) === null) throw new Error(`${beginning} is not part of the bundle`);
      const add = (id: string): void => {
        if (fileOf.has(id)) return;
        fileOf.set(id, file);
        for (const imported of this.getModuleInfo(id)?.importedIds ?? []) add(imported);
      };
      add(beginning);
    }
  },
};

const { output } = await build({
  cwd: root,
  input: entry,
  platform: 'node',
  transform: { target: 'node22.19', define: { STELLARCTL_VERSION: JSON.stringify(manifest.version) } },
  // client-node declares nothing about side effects, so that its thousand generated files would all be kept; importing any of our
  // dependencies has none that we rely on.
  treeshake: { moduleSideEffects: (id) => !id.includes('node_modules') },
  plugins: [withoutUnused, withoutGetters, togetherInOneFile],
  output: {
    dir: fresh,
    // Node loads CommonJS faster than modules of the standard, and an executable can hold it.
    format: 'cjs',
    entryFileNames: '[name].cjs',
    chunkFileNames: '[name]-[hash].cjs',
    // Names of functions and classes are kept for the stack traces of bug reports.
    minify: { compress: true, mangle: { keepNames: true }, codegen: { removeWhitespace: true } },
    comments: false,
    codeSplitting: { groups: [{ debugName: 'together', name: (id) => fileOf.get(id) ?? null }] },
  },
});
const modulesOf = ({ modules }: OutputChunk) =>
  Object.entries(modules).flatMap(([id, { renderedLength }]) => (renderedLength > 0 ? path.relative(root, id) : []));
const contents = Object.fromEntries(
  output.flatMap((file) => (file.type === 'chunk' ? [[file.fileName, modulesOf(file)] as const] : [])),
);
await writeFile(path.join(fresh, 'THIRD-PARTY-NOTICES.txt'), await noticesOf(Object.values(contents).flat(), root));
// Not packed: it tells the tests which packages a file of dist holds.
await writeFile(path.join(fresh, 'contents.json'), JSON.stringify(contents));
// scripts/dev.cjs compares it with the sources: what was changed during the build is newer than this.
await utimes(path.join(fresh, 'cli.cjs'), started, started);
await rm(dist, { recursive: true, force: true });
await rename(fresh, dist);
