import type { AnyObject } from '../kube/objects.ts';

/**
 * A template of a hook with its variables replaced, as Go's text/template does with its JSON text: `{{.Name}}`, with `<no value>`
 * for an unknown name. Hooks use nothing else of that language, so anything else is rejected.
 */
export function render(template: AnyObject, vars: Readonly<Record<string, string>>): AnyObject {
  const text = JSON.stringify(template).replace(/\{\{-?\s*(.*?)\s*-?\}\}/g, (_, action: string) => {
    const [, name] = /^\.([A-Za-z_]\w*)$/.exec(action) ?? [];
    if (name === undefined) throw new Error(`template: yamlTemplate:1: the bed does not know "${action}"`);
    return vars[name] ?? '<no value>';
  });
  return JSON.parse(text) as AnyObject;
}
