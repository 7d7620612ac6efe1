"""Without Terraform or its AWS provider the plan cannot be made: `test_text.py` then says so and checks the text."""

from tests.deploy.terraform import why_not

collect_ignore = ["test_terraform.py"] if why_not() else []
