import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { build } from 'rolldown';
import { common, form, plugins, root } from './bundle.ts';
import { nodeFromNpm } from './node-from-npm.ts';

/** The Node inside the executable: a long-term support release that builds executables by itself. */
export const nodeOfExecutable = '26.10.0';

/**
 * Makes the one-file executable for this machine: stellarctl in one piece, with what V8 makes of it, inside a Node
 * (nodejs.org/api/single-executable-applications.html). A start-up snapshot instead of V8's code cache was measured: it starts later.
 * @param folder gets the executable, and the licence of Node
 * @returns the executable
 */
export async function makeExecutable(folder: string): Promise<string> {
  const work = await mkdtemp(path.join(tmpdir(), 'stellarctl-executable-'));
  try {
    const main = path.join(work, 'stellarctl.cjs');
    await build({
      ...common,
      input: path.join(root, 'src', 'executable.ts'),
      plugins: [...plugins],
      // What is imported when it is needed is also evaluated only then.
      output: { ...form, file: main, format: 'cjs', codeSplitting: false },
    });
    const { node, license } = await nodeFromNpm(path.join(work, 'node'), nodeOfExecutable);
    const executable = path.join(folder, process.platform === 'win32' ? 'stellarctl.exe' : 'stellarctl');
    const config = path.join(work, 'sea.json');
    const settings = { disableExperimentalSEAWarning: true, useCodeCache: true, execArgvExtension: 'none' };
    await writeFile(config, JSON.stringify({ main, output: executable, ...settings }));
    await execa(node, ['--build-sea', config], { cwd: work });
    // macOS runs no program whose signature does not hold.
    if (process.platform === 'darwin') await execa('codesign', ['--force', '--sign', '-', executable]);
    await copyFile(license, path.join(folder, 'LICENSE-node.txt'));
    return executable;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
