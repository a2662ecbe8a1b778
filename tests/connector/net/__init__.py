"""The net of assessments: portfolios of many kinds, and what each column of their assessments was."""
