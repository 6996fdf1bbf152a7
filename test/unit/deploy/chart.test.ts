import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { CHART, chartFiles, strayTemplates } from '../../../deploy/helm/chart-files.ts';
import { inNamespaceOfRelease } from '../../../deploy/helm/namespaces.ts';
import { TemplateText } from '../../../deploy/helm/template-text.ts';

describe('The Helm chart', () => {
  it('is made of what deploy/ has now (npm run chart writes it)', () => {
    for (const [name, text] of chartFiles()) expect(readFileSync(join(CHART, name), 'utf8'), name).to.equal(text);
    expect(strayTemplates()).to.deep.equal([]);
  });

  it('has a schema for every value, and in the README its meaning', () => {
    const files = chartFiles();
    const schema = JSON.parse(files.get('values.schema.json') ?? '') as Node;
    const values = parse(files.get('values.yaml') ?? '') as Record<string, unknown>;
    for (const component of ['controller', 'apiserver', 'uploadProxy']) {
      expect(schema.properties?.[component]?.properties).to.have.all.keys(Object.keys(values[component] as object));
      expect(files.get('README.md')).to.contain(`\`${component}.replicas\``);
    }
    expect(schema.properties).to.have.all.keys(...Object.keys(values), 'global');
  });
});

interface Node {
  properties?: Record<string, Node>;
}

describe('A template', () => {
  it('keeps braces that are not its own', () => {
    const text = new TemplateText().write({ summary: 'of {{ $labels.name }}' });
    expect(text).to.equal('summary: of {{ "{{" }} $labels.name }}\n');
  });

  it('has a field only where there is a value for it', () => {
    const template = new TemplateText();
    const object = {
      spec: { tolerations: template.field('.Values.tolerations'), class: template.textField('.Values.class') },
    };
    expect(template.write(object)).to.equal(
      [
        'spec:',
        '  {{- with .Values.tolerations }}',
        '  tolerations:',
        '    {{- toYaml . | nindent 4 }}',
        '  {{- end }}',
        '  {{- with .Values.class }}',
        '  class: {{ . | quote }}',
        '  {{- end }}',
        '',
      ].join('\n'),
    );
  });

  it('quotes what Helm would read as something else than a text', () => {
    expect(new TemplateText().write({ enabled: 'yes', mode: '0644' })).to.equal('enabled: "yes"\nmode: "0644"\n');
  });

  it('names the namespace of the release wherever the manifests name theirs', () => {
    const template = new TemplateText();
    const object = {
      kind: 'cdi',
      subjects: [{ namespace: 'cdi', name: 'cdi' }],
      expression: "user == 'system:serviceaccount:cdi:cdi-sa' && namespace == 'cdi'",
      host: 'cdi-api.cdi.svc',
    };
    expect(
      parse(
        template
          .write(inNamespaceOfRelease(object, template))
          .replaceAll('{{ .Release.Namespace }}', 'other')
          .replaceAll('{{ .Release.Namespace | quote }}', 'other'),
      ),
    ).to.deep.equal({
      kind: 'cdi',
      subjects: [{ namespace: 'other', name: 'cdi' }],
      expression: "user == 'system:serviceaccount:other:cdi-sa' && namespace == 'other'",
      host: 'cdi-api.other.svc',
    });
  });
});
