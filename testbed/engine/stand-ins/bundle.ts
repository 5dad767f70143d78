import { join } from 'node:path';
import { build } from 'rolldown';

let text: Promise<string> | undefined;

/** main.ts and all that it imports, as one module for Node. */
export function bundled(): Promise<string> {
  text ??= bundle();
  return text;
}

async function bundle(): Promise<string> {
  const { output } = await build({
    input: join(import.meta.dirname, 'main.ts'),
    platform: 'node',
    write: false,
    output: { format: 'esm', codeSplitting: false },
  });
  return output[0].code;
}
