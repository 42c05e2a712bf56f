/** Files that the executable carries as text: `import x from './x.sh' with { type: 'text' }`. */
declare module '*.sh' {
  const text: string
  export default text
}
declare module '*.txt' {
  const text: string
  export default text
}
