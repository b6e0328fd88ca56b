/** Nothing that the package needs, but for the development server. */
export default {
  base: './',
  // Bundled beforehand, the package would no longer find its worker beside itself.
  optimizeDeps: { exclude: ['narvl-web'] },
};
