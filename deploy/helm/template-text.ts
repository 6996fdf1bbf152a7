import { stringify } from 'yaml';

/** What stands for a piece of a template until the YAML around it is written: nothing that YAML would have to quote. */
const PLACE = /__template_(\d+)__/g;

/**
 * Writes objects with templates in them as the text of a template. The pieces are held as places in ordinary values,
 * so that the library that writes YAML need not know of them.
 */
export class TemplateText {
  readonly #pieces: string[] = [];

  /** Returns a place for an expression, such as `.Release.Namespace`, that is a whole value or a part of one. */
  expression(expression: string): string {
    return this.#place(`{{ ${expression} }}`);
  }

  /**
   * Returns a place for a field that is left out where the value of the expression is empty. It has to be the value of
   * that field.
   */
  field(expression: string): string {
    return this.#place(`with ${expression}`);
  }

  /** Returns a place for a field, as {@link field} does, whose value is a text. */
  textField(expression: string): string {
    return this.#place(`with text ${expression}`);
  }

  /** Returns a place for items of a list, after those before it. It has to be an item. */
  items(named: string): string {
    return this.#place(`items ${named}`);
  }

  /** Writes an object. Braces that are in it already are no templates, and are kept. */
  write(object: unknown): string {
    const yaml = stringify(object, { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false });
    return yaml
      .replaceAll('{{', '{{ "{{" }}')
      .split('\n')
      .map((line) => this.#fill(line))
      .join('\n');
  }

  #place(piece: string): string {
    return `__template_${this.#pieces.push(piece) - 1}__`;
  }

  #fill(line: string): string {
    const [, indent = '', dash = '', name = '', index] = /^( *)(- )?(?:(\w+): )?__template_(\d+)__$/.exec(line) ?? [];
    const piece = this.#pieces[Number(index)] ?? '';
    const [, isText, expression] = /^with (text )?(.*)$/.exec(piece) ?? [];
    if (expression !== undefined) {
      if (dash) throw new Error(`${name} is the first field of an item, and cannot be left out`);
      const field = isText
        ? [`${indent}${name}: {{ . | quote }}`]
        : [`${indent}${name}:`, `${indent}  {{- toYaml . | nindent ${indent.length + 2} }}`];
      return [`${indent}{{- with ${expression} }}`, ...field, `${indent}{{- end }}`].join('\n');
    }
    if (piece.startsWith('items ')) {
      return `${indent}{{- include "${piece.slice('items '.length)}" . | nindent ${indent.length} }}`;
    }
    return line.replace(PLACE, (_, found: string) => this.#pieces[Number(found)] ?? '');
  }
}
