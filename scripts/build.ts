import { rm, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { build, type Plugin } from 'esbuild';

const root = path.resolve(import.meta.dirname, '..');

/**
 * client-node declares nothing about side effects, so that its thousand generated files would all be kept; importing any of our
 * dependencies has none that we rely on.
 */
const withoutSideEffects: Plugin = {
  name: 'without-side-effects',
  setup(pluginBuild) {
    pluginBuild.onResolve({ filter: /^[^./]/ }, async (args) => {
      if (args.pluginData === 'resolved' || args.kind === 'entry-point') return undefined;
      const { path: file, errors } = await pluginBuild.resolve(args.path, { importer: args.importer, resolveDir: args.resolveDir, kind: args.kind, pluginData: 'resolved' });
      return errors.length === 0 && file.includes('node_modules') ? { path: file, sideEffects: false } : undefined;
    });
  },
};

/**
 * Requests are sent by node:https (src/lib/kube/client.ts); client-node is used for credentials only. Its own HTTP client, three
 * quarters of everything, is left out: whatever would call it fails loudly.
 */
const withoutUndici: Plugin = {
  name: 'without-undici',
  setup(pluginBuild) {
    pluginBuild.onResolve({ filter: /^undici$/ }, () => ({ path: 'undici', namespace: 'left-out' }));
    pluginBuild.onLoad({ filter: /.*/, namespace: 'left-out' }, () => ({
      contents: `const leftOut = () => { throw new Error('undici is not part of stellarctl'); };
        module.exports = new Proxy({}, { get: () => leftOut });`,
    }));
  },
};

const manifest = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as { version: string };
await rm(path.join(root, 'dist'), { recursive: true, force: true });
const result = await build({
  absWorkingDir: root,
  entryPoints: ['src/cli.ts'],
  outdir: 'dist',
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
  plugins: [withoutUndici, withoutSideEffects],
  // Some dependencies are CommonJS and require Node's own modules.
  banner: { js: "import { createRequire as createRequireOfBanner } from 'node:module'; const require = createRequireOfBanner(import.meta.url);" },
});
if (process.argv.includes('--analyze')) {
  const { analyzeMetafile } = await import('esbuild');
  console.log(await analyzeMetafile(result.metafile));
}
