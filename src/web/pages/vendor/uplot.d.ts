// Types of what the build puts beside this file: uPlot's module, as it is.
export { default } from 'uplot';
