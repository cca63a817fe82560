terraform {
  required_version = ">= 1.5"

  required_providers {
    aws = {
      source = "hashicorp/aws"
      # The one whose schema the attributes were checked against.
      version = ">= 6.25"
    }
  }
}
