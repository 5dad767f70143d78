import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { readNamed } from '../../../../src/lib/core/named-file.ts';
import { temporaryFolder } from '../../support/folder.ts';

const folder = temporaryFolder();

test('a file that cannot be read is refused in words, and what may never end before it is opened', async () => {
  const pipe = path.join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  for (const [file, why] of [
    [path.join(folder, 'none'), `there is no file ${folder}/none`],
    [folder, `${folder} is not a file`],
    [pipe, `${pipe} is not a file`],
    ['/dev/zero', '/dev/zero is not a file'],
  ] as const)
    await assert.rejects(readNamed(file, 'policy'), {
      code: 'usage',
      message: `The policy cannot be read: ${why}.`,
    });
});

test('a pipe of a shell is read', () => {
  const module = new URL('../../../../src/lib/core/named-file.ts', import.meta.url);
  const script = `import { readNamed } from '${module}'; console.log(await readNamed(process.argv[1], 'policy'))`;
  const shell = '"$0" --input-type=module -e "$1" <(echo hello)';
  const args = ['-c', shell, process.execPath, script];
  assert.equal(execFileSync('bash', args, { encoding: 'utf8', timeout: 15_000 }), 'hello\n\n');
});
