/*
 * gantry completion SHELL: the function with which a shell asks `gantry __complete`.
 */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "stage0/command.h"

/*
 * The line up to the cursor is taken apart at blanks: bash's own words are cut at '=' and ':' as
 * well, and then only what stands behind the last of these is replaced.
 */
static const char bash[] =
	"_gantry() {\n"
	"\tlocal line=${COMP_LINE:0:COMP_POINT} part cut= word\n"
	"\tlocal -a words\n"
	"\tread -r -a words <<<\"$line\"\n"
	"\t[[ $line == *[[:space:]] ]] && words+=(\"\")\n"
	"\tpart=${words[${#words[@]} - 1]}\n"
	"\t[[ $part == *[=:]* ]] && cut=${part%\"${part##*[=:]}\"}\n"
	"\tCOMPREPLY=()\n"
	"\twhile IFS=$'\\t' read -r word _; do\n"
	"\t\tif [[ $word == :files ]]; then\n"
	"\t\t\tcompopt -o filenames 2>/dev/null\n"
	"\t\t\tmapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- \"${part##*=}\")\n"
	"\t\telse\n"
	"\t\t\t[[ $word == *= ]] && compopt -o nospace 2>/dev/null\n"
	"\t\t\tCOMPREPLY+=(\"${word#\"$cut\"}\")\n"
	"\t\tfi\n"
	"\tdone < <(\"${words[0]}\" __complete \"${words[@]:1}\" 2>/dev/null)\n"
	"}\n"
	"complete -F _gantry gantry rkt\n";

static const char zsh[] =
	"#compdef gantry rkt\n"
	"_gantry() {\n"
	"\tlocal line files=0\n"
	"\tlocal -a options plain shown_options shown\n"
	"\tfor line in \"${(@f)$(\"${words[1]}\" __complete \"${(@)words[2,CURRENT]}\" 2>/dev/null)}\"; do\n"
	"\t\tif [[ $line == :files ]]; then\n"
	"\t\t\tfiles=1\n"
	"\t\telif [[ ${line%%$'\\t'*} == *= ]]; then\n"
	"\t\t\toptions+=(\"${line%%$'\\t'*}\")\n"
	"\t\t\tshown_options+=(\"${line/$'\\t'/  -- }\")\n"
	"\t\telif [[ -n $line ]]; then\n"
	"\t\t\tplain+=(\"${line%%$'\\t'*}\")\n"
	"\t\t\tshown+=(\"${line/$'\\t'/  -- }\")\n"
	"\t\tfi\n"
	"\tdone\n"
	"\t(( $#options )) && compadd -l -S '' -d shown_options -a options\n"
	"\t(( $#plain )) && compadd -l -d shown -a plain\n"
	"\tif (( files )); then\n"
	"\t\t[[ $PREFIX == --*=* ]] && compset -P '*='\n"
	"\t\t_files\n"
	"\tfi\n"
	"\t(( $#options + $#plain + files ))\n"
	"}\n"
	"if [[ $zsh_eval_context[-1] == loadautofunc ]]; then\n"
	"\t_gantry \"$@\"\n"
	"else\n"
	"\tcompdef _gantry gantry rkt\n"
	"fi\n";

static const struct {
	const char *shell, *script;
} scripts[] = {{"bash", bash}, {"zsh", zsh}};

static int run(struct gantry *g, void *target, char *const *words, struct err *e)
{
	(void) g;
	(void) target;
	if (strv_len(words) != 1)
		return err_set(e, EINVAL, "one shell is needed: bash or zsh");
	for (size_t i = 0; i < ELEMENTSOF(scripts); i++)
		if (!strcmp(words[0], scripts[i].shell)) {
			fputs(scripts[i].script, stdout);
			return 0;
		}
	return err_set(e, EINVAL, "no completion for %s: bash or zsh", q(words[0]));
}

const struct command cmd_completion = {
	.name = "completion",
	.usage = "bash|zsh",
	.summary = "print the completion function of a shell",
	.details = "\tFor bash: source <(gantry completion bash), or into\n"
		   "\t/usr/share/bash-completion/completions/gantry.  For zsh: into a file _gantry of the\n"
		   "\tfpath, or source <(gantry completion zsh) after compinit.\n",
	.run = run,
};
