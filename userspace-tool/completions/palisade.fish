# SPDX-License-Identifier: GPL-2.0
#
# Completion of palisade(8) for fish: /usr/share/fish/vendor_completions.d/palisade.fish. What may follow is the
# tool's own answer.

function __palisade_complete
    set -lx PATH $PATH /usr/sbin /sbin
    set -l words (commandline -opc)
    set -l current (commandline -ct | string unescape)
    for line in (palisade complete words $words[2..] "$current" 2>/dev/null)
        if string match -q ':files*' -- $line
            __fish_complete_path "$current"
        else
            echo $line
        end
    end
end

complete -c palisade -f -a '(__palisade_complete)'
