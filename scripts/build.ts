import { statSync } from 'node:fs';
import { readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { analyzeMetafile, build, type OnResolveArgs, type Plugin, type PluginBuild } from 'esbuild';
import { noticesOf } from './notices.ts';

const started = new Date();
const root = path.resolve(import.meta.dirname, '..');
const dist = path.join(root, 'dist');
// Whoever runs the dist of before can go on doing so until the new one is whole.
const fresh = path.join(root, `dist-${process.pid}`);

/**
 * client-node declares nothing about side effects, so that its thousand generated files would all be kept; importing any of our
 * dependencies has none that we rely on.
 */
const withoutSideEffects: Plugin = {
  name: 'without-side-effects',
  setup(pluginBuild) {
    pluginBuild.onResolve({ filter: /.*/ }, async (args) => {
      if (args.pluginData === 'resolved' || args.kind === 'entry-point') return undefined;
      const file = relativeFile(args) ?? (await resolveByEsbuild(pluginBuild, args));
      return file?.includes('node_modules') ? { path: file, sideEffects: false } : undefined;
    });
  },
};

/** A file that is named exactly. Nearly all imports inside of packages are, and to ask esbuild takes 2 ms for each. */
function relativeFile({ path: specifier, resolveDir }: OnResolveArgs): string | undefined {
  const file = path.resolve(resolveDir, specifier);
  return specifier.startsWith('.') && statSync(file, { throwIfNoEntry: false })?.isFile() ? file : undefined;
}

async function resolveByEsbuild(pluginBuild: PluginBuild, args: OnResolveArgs): Promise<string | undefined> {
  const { importer, resolveDir, kind } = args;
  const resolved = await pluginBuild.resolve(args.path, { importer, resolveDir, kind, pluginData: 'resolved' });
  return resolved.errors.length === 0 ? resolved.path : undefined;
}

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
  setup(pluginBuild) {
    for (const { module, importer } of leftOut) {
      pluginBuild.onResolve({ filter: module }, (args) =>
        importer.test(args.importer) ? { path: args.path, namespace: 'left-out' } : undefined,
      );
    }
    pluginBuild.onLoad({ filter: /.*/, namespace: 'left-out' }, ({ path: module }) => ({
      contents: `const leftOut = () => { throw new Error('${module} is not part of stellarctl'); };
        module.exports = new Proxy({}, { get: () => leftOut });`,
    }));
  },
};

/**
 * Importing one of Node's own modules evaluates every getter of it, and these have getters that load much: all of Node's undici for
 * http.WebSocket, all of WebCrypto for crypto.webcrypto. Taken this way they are evaluated when they are used. Dependencies name them
 * without `node:` (agent-base).
 */
const withoutGetters: Plugin = {
  name: 'without-getters',
  setup(pluginBuild) {
    pluginBuild.onResolve({ filter: /^(node:)?(http|crypto)$/ }, ({ path: module, kind }) =>
      kind === 'import-statement' ? { path: module, namespace: 'node' } : undefined,
    );
    pluginBuild.onLoad({ filter: /.*/, namespace: 'node' }, ({ path: module }) => ({
      contents: `module.exports = process.getBuiltinModule('${module}');`,
    }));
  },
};

const manifest = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as { version: string };
const result = await build({
  absWorkingDir: root,
  entryPoints: ['src/cli.ts'],
  outdir: fresh,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node22.19',
  minifySyntax: true,
  minifyWhitespace: true,
  metafile: true,
  legalComments: 'none',
  define: { STELLARCTL_VERSION: JSON.stringify(manifest.version) },
  plugins: [withoutUnused, withoutGetters, withoutSideEffects],
  // Some dependencies are CommonJS and require Node's own modules.
  banner: {
    js: "import { createRequire as createRequireOfBanner } from 'node:module'; const require = createRequireOfBanner(import.meta.url);",
  },
});
await writeFile(path.join(fresh, 'THIRD-PARTY-NOTICES.txt'), await noticesOf(result.metafile, root));
// Not packed: it tells the tests which packages a file of dist holds.
await writeFile(path.join(fresh, 'metafile.json'), JSON.stringify(result.metafile));
// scripts/dev.cjs compares it with the sources: what was changed during the build is newer than this.
await utimes(path.join(fresh, 'cli.js'), started, started);
await rm(dist, { recursive: true, force: true });
await rename(fresh, dist);

if (process.argv.includes('--analyze')) console.log(await analyzeMetafile(result.metafile));
