package main

import (
	"strings"

	"github.com/spf13/cobra"
)

// helpCommand is cobra's help command with an error, instead of a success, for a topic that
// does not exist.
func (a *app) helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [command]",
		Short: "Help about any command",
		Long: `help prints the help of a command or of a topic, such as exit-codes. "namibuild help"
lists all of them.`,
		Example:           "  namibuild help build\n  namibuild help key new",
		ValidArgsFunction: completeTopics,
		RunE: func(c *cobra.Command, args []string) error {
			topic, err := findTopic(c.Root(), args)
			if err != nil {
				return err
			}
			topic.InitDefaultHelpFlag()
			topic.InitDefaultVersionFlag()
			return topic.Help()
		},
	}
}

// findTopic returns the command that help is asked about.
func findTopic(root *cobra.Command, args []string) (*cobra.Command, error) {
	topic, rest, err := root.Find(args)
	switch {
	case err != nil:
		return nil, usageError{err}
	case topic.HasSubCommands() && len(rest) > 0:
		return nil, unknown("help topic", topic, rest[0])
	}
	return topic, nil
}

// completeTopics completes the arguments of help.
func completeTopics(c *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	var names []string
	if topic, err := findTopic(c.Root(), args); err == nil {
		for _, sub := range topic.Commands() {
			if !sub.Hidden && strings.HasPrefix(sub.Name(), begun) {
				names = append(names, cobra.CompletionWithDesc(sub.Name(), sub.Short))
			}
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
