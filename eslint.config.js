import js from '@eslint/js';
import sortImports from 'eslint-plugin-simple-import-sort';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/'] },
  js.configs.recommended,
  ...tseslint.configs.recommendedTypeChecked,
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true } },
    plugins: { 'sort-imports': sortImports },
    rules: {
      'sort-imports/imports': ['error', { groups: [['^\\u0000', '^node:', '^[^.]', '^\\.\\.', '^\\.']] }],
      // Code is wrapped by prettier, comments are not.
      'max-len': ['error', { code: 1000, comments: 120, ignoreUrls: true }],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      // Interfaces whose members are async by contract have implementations that need no await.
      '@typescript-eslint/require-await': 'off',
      eqeqeq: ['error', 'always'],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/cli/output.ts'],
    // What comes from outside is made printable there.
    rules: {
      'no-console': 'error',
      'no-restricted-syntax': [
        'error',
        {
          selector: 'VariableDeclarator[id.name=/^[A-Z_]*(TIMEOUT|INTERVAL|DELAY|AGAIN|_MS)$/]',
          message: 'The unit is a part of the name: _MILLISECONDS.',
        },
      ],
    },
  },
  {
    files: ['test/**/*.ts'],
    // chai's property assertions are expressions.
    rules: { '@typescript-eslint/no-unused-expressions': 'off' },
  },
  {
    files: ['**/*.js', '**/*.mjs'],
    ...tseslint.configs.disableTypeChecked,
    languageOptions: { globals: { console: 'readonly', process: 'readonly' } },
  },
  {
    files: ['src/dashboard/page/*.js'],
    languageOptions: {
      globals: Object.fromEntries(
        [
          ...[
            'document',
            'location',
            'history',
            'addEventListener',
            'EventSource',
            'FormData',
            'URL',
            'URLSearchParams',
          ],
          ...['setTimeout', 'clearTimeout'],
        ].map((name) => [name, 'readonly']),
      ),
    },
  },
  {
    files: ['**/*.cjs'],
    ...tseslint.configs.disableTypeChecked,
    languageOptions: { globals: { exports: 'readonly', module: 'readonly', require: 'readonly' } },
    rules: { ...tseslint.configs.disableTypeChecked.rules, '@typescript-eslint/no-require-imports': 'off' },
  },
);
