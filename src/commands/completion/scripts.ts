/** `$\{` stands for a `${` that the shell, not the template, expands. */
const script = ({ raw: [text = ''] }: TemplateStringsArray) => text.replaceAll('$\\{', '${');

/**
 * The completion script of each shell. A script passes the words of the command line without their quotes and shows the result; it
 * never evaluates any of it. bash also splits words at `=` and `:`: the script joins them again, and removes what precedes the last
 * of these characters from the candidates.
 */
export const scripts = {
  bash: script`# bash completion of stellarctl
_stellarctl() {
  local line=$\{COMP_LINE:0:COMP_POINT} words=() replies=() part last i cur head breaks=$\{COMP_WORDBREAKS//[!=:]/}
  for ((i = 0; i <= COMP_CWORD; i++)); do
    part=$\{COMP_WORDS[i]}
    if [[ $i -eq 0 || $line == [[:blank:]]* ]]; then
      line=$\{line#"$\{line%%[![:blank:]]*}"}
      words+=('')
    fi
    [[ $line == "$part"* ]] || part=$line
    line=$\{line#"$part"}
    last=$(($\{#words[@]} - 1))
    words[last]+=$\{part//[\\\"\']/}
  done
  cur=$\{words[last]}
  while IFS= read -r part; do
    replies+=("$\{part%%$'\t'*}")
  done <<<"$(stellarctl __complete -- "$\{words[@]:1}" 2>/dev/null)"
  last=$(($\{#replies[@]} - 1))
  local directive=$\{replies[last]}
  unset "replies[last]"
  COMPREPLY=()
  [[ $directive == :0 ]] && { compopt -o default; return; }
  [[ $cur == -*=* ]] && cur=$\{cur#*=}
  [[ $breaks ]] && head=$\{cur%"$\{cur##*[$breaks]}"}
  for part in "$\{replies[@]}"; do
    part=$\{part#"$head"}
    [[ $part == *[!A-Za-z0-9_.,:=/@%+-]* ]] && printf -v part %q "$part"
    COMPREPLY+=("$part")
  done
}
complete -F _stellarctl stellarctl
`,
  zsh: script`#compdef stellarctl
_stellarctl() {
  local -a before lines
  (( CURRENT == 2 )) || before=("$\{(@Q)words[2,CURRENT-1]}")
  lines=("$\{(@f)$(stellarctl __complete -- "$before[@]" "$\{(Q)PREFIX}" 2>/dev/null)}")
  local directive=$lines[-1] tab=$'\t'
  lines[-1]=()
  [[ $directive == :0 ]] && { _files; return }
  [[ $PREFIX == -*=* ]] && compset -P '*='
  lines=("$\{(@)lines//:/\\:}")
  lines=("$\{(@)lines/$tab/:}")
  (( $#lines )) && _describe stellarctl lines
}
if [[ $funcstack[1] == _stellarctl ]]; then
  _stellarctl "$@"
else
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit -i }
  compdef _stellarctl stellarctl
fi
`,
  fish: script`# fish completion of stellarctl
function __stellarctl_complete
    set -l current (commandline -ct | string replace -ra '[\\\\\'"]' '')
    set -l words (commandline -opc)
    set -l lines (stellarctl __complete -- $words[2..] "$current" 2>/dev/null)
    count $lines >/dev/null; or return
    set -l directive $lines[-1]
    set -e lines[-1]
    set -l option (string match -r -- '^-[^=]*=' "$current")
    if test "$directive" = :0
        __fish_complete_path (string replace -r -- '^-[^=]*=' '' "$current")
    else if count $lines >/dev/null
        printf '%s\n' "$option"$lines
    end
end
complete -c stellarctl -f -a '(__stellarctl_complete)'
`,
} as const;
