# Man pages by scdoc: Documentation/man/NAME.SECTION.scd.  A line "@OPTIONS COMMAND@" is replaced by what the
# program itself says of the command's options (gantry __doc), so that page and program cannot differ.

MAN_PAGES := $(patsubst Documentation/man/%.scd,$(B)/man/%,$(wildcard Documentation/man/*.scd))

.PHONY: man check-docs
man: $(MAN_PAGES)
all: man

$(B)/man/%: Documentation/man/%.scd Documentation/man/expand.sh $(B)/bin/gantry
	$(call say,MAN,$@)
	@mkdir -p $(@D)
	$(Q)Documentation/man/expand.sh $(B)/bin/gantry $(VERSION) <$< | scdoc >$@
