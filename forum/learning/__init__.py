"""What people learn here: guides that come with the portal, the words it uses, articles of the community."""
